import { RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { checkScaffoldName, DEFAULT_SCAFFOLD_NAME, TAGS, VERSION } from '../contract';
import { createBucket, protectGrants } from './bucket';
import { createLaunchTemplate } from './launch-template';
import { createScaffoldParameter } from './scaffold-parameter';
import { createSecurityGroup } from './security-group';
import { createInstanceProfile, createVmRole } from './vm-role';
import { zonesForJson } from './zones';

/** What can be chosen about the scaffolding. */
export interface RawCloudProps {
  /**
   * Name of the scaffolding: 1 to 32 lower-case letters, digits and dashes, starting with a letter. Several live
   * in one account and region under different names; clients pick one with `--scaffold`.
   *
   * @default 'default'
   */
  readonly name?: string;

  /**
   * What happens to the bucket, with logs and ledger in it, when the scaffolding is removed. With
   * `RemovalPolicy.DESTROY` the removal fails unless the bucket is empty.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * The least that an account needs to run jobs: a bucket, the role of the VMs, a security group without ingress in
 * the default VPC, a launch template, and the SSM parameter by which clients find them. Nothing of it runs, and
 * nothing is paid for but what lies in the bucket. VMs are launched by clients, not by this stack.
 *
 * ```ts
 * new RawCloud(this, 'RawCloud');
 * ```
 */
export class RawCloud extends Construct {
  /** Name of the scaffolding. */
  readonly scaffoldName: string;

  /** All state: files, specs, logs, results, ledger. */
  readonly bucket: IBucket;

  /** What the VMs are for AWS. A job has its caller's identity instead, or none. */
  readonly vmRole: IRole;

  constructor(scope: Construct, id: string, props: RawCloudProps = {}) {
    super(scope, id);
    const { name = DEFAULT_SCAFFOLD_NAME, removalPolicy = RemovalPolicy.RETAIN } = props;
    const { account, region } = Stack.of(this);

    const bucket = createBucket(this, removalPolicy);
    const role = createVmRole(this, bucket.bucketArn);
    protectGrants(bucket, role.roleId, removalPolicy);
    const securityGroup = createSecurityGroup(this);
    const template = createLaunchTemplate(this, {
      name: checkScaffoldName(name),
      bucket: bucket.bucketName,
      region,
      roleId: role.roleId,
      instanceProfileArn: createInstanceProfile(this, role).instanceProfileArn,
      securityGroupId: securityGroup.attrGroupId,
    });
    createScaffoldParameter(this, {
      v: 1,
      name,
      account,
      region,
      bucket: bucket.bucketName,
      roleId: role.roleId,
      launchTemplateId: template.ref,
      launchTemplateVersion: template.attrLatestVersionNumber,
      securityGroupId: securityGroup.attrGroupId,
      zones: zonesForJson(this),
      version: VERSION,
    });
    Tags.of(this).add(TAGS.scaffold, name);

    this.scaffoldName = name;
    this.bucket = bucket;
    this.vmRole = role;
  }
}
