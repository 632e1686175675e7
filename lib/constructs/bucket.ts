import { Duration, Lazy, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { anyVmOf, bucketStatements } from '../contract';
import { takeBucket } from './brought-bucket';

/** The props about the bucket. */
export interface BucketProps {
  readonly bucket?: IBucket;
  readonly removalPolicy?: RemovalPolicy;
  readonly encryptionKey?: IKey;
}

/** Where all state lies. */
export interface State {
  readonly bucket: IBucket;
  readonly encryptionKey: IKey | undefined;
}

/** Who reads private grants. */
export interface GrantReaders {
  /** Ids of the VM roles, asked for when the app is synthesized: jobs bring roles of their own. */
  readonly roleIds: () => readonly string[];
  /** ARNs of the VM roles that are known by their path alone. */
  readonly roleArns: string;
  /** Whether roles under that path count though they are not among the ids. */
  readonly byPath: boolean;
}

/** A bucket of our own, or the one that was brought; private grants in it are for VMs alone. */
export function stateOf(scope: Construct, props: BucketProps, readers: GrantReaders): State {
  const { bucket, encryptionKey = bucket?.encryptionKey } = props;
  if (bucket) {
    takeBucket(scope, bucket, { roleArns: readers.roleArns, removalPolicy: props.removalPolicy });
    return { bucket, encryptionKey };
  }
  const { removalPolicy = RemovalPolicy.RETAIN } = props;
  const own = createBucket(scope, removalPolicy, encryptionKey);
  protectGrants(own, readers, removalPolicy);
  return { bucket: own, encryptionKey };
}

/**
 * The bucket that holds all state. Not versioned: a grant that was deleted must be gone. No lifecycle rule expires
 * content either: a client may believe for a day that an object is there, so only the reaper deletes.
 */
function createBucket(scope: Construct, removalPolicy: RemovalPolicy, encryptionKey?: IKey): Bucket {
  return new Bucket(scope, 'Bucket', {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    // With a key of the bucket's own in between: our many small requests would else be as many to KMS.
    ...(encryptionKey
      ? { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }
      : { encryption: BucketEncryption.S3_MANAGED }),
    enforceSSL: true,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    versioned: false,
    lifecycleRules: [{ id: 'AbortUnfinishedUploads', abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    removalPolicy,
  });
}

/** Lets nobody but VMs of our roles read private grants; the policy stays as long as the bucket. */
function protectGrants(bucket: Bucket, { roleIds, roleArns, byPath }: GrantReaders, removalPolicy: RemovalPolicy): void {
  const userIds = Lazy.list({ produce: () => roleIds().map(anyVmOf) });
  for (const statement of bucketStatements(bucket.bucketArn, { userIds, ...(byPath ? { roleArns: [roleArns] } : {}) })) {
    bucket.addToResourcePolicy(PolicyStatement.fromJson(statement));
  }
  bucket.policy?.applyRemovalPolicy(removalPolicy);
}
