import { Duration, Lazy } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { anyVmOf, bucketStatements } from '../contract';

/**
 * The bucket that holds all state. Not versioned: a grant that was deleted must be gone. No lifecycle rule expires
 * content either: a client may believe for a day that an object is there, so only the reaper deletes.
 */
export function createBucket(scope: Construct, removalPolicy: RemovalPolicy, encryptionKey?: IKey): Bucket {
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

/**
 * Lets nobody but VMs of our roles read private grants; the policy stays as long as the bucket.
 * @param roleIds asked for when the app is synthesized: jobs bring roles of their own
 */
export function protectGrants(bucket: Bucket, roleIds: () => readonly string[], removalPolicy: RemovalPolicy): void {
  const vms = Lazy.list({ produce: () => roleIds().map(anyVmOf) });
  for (const statement of bucketStatements(bucket.bucketArn, vms)) {
    bucket.addToResourcePolicy(PolicyStatement.fromJson(statement));
  }
  bucket.policy?.applyRemovalPolicy(removalPolicy);
}
