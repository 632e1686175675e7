import { Stack } from 'aws-cdk-lib';
import { PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { KEY_ACTIONS, vmRolePath } from '../contract';
import { templateArn } from './access-facts';
import { grantKey } from './bucket-key';
import type { BucketKey } from './bucket-key';
import type { VmKind } from './i-raw-cloud';
import type { JobPolicies } from './job-policies';
import { createLaunchTemplate } from './launch-template';
import { addForeignVmKind, checkSamePlace, isHere, unshared } from './other-stacks';
import { createInstanceProfile, createVmRole } from './vm-role';
import type { VmRoleProps } from './vm-role';

export interface VmKindsProps {
  readonly scaffold: string;
  readonly bucket: IBucket;
  readonly bucketKey: BucketKey | undefined;
  readonly securityGroupIds: string[];
  readonly vmTags: Readonly<Record<string, string>>;
  readonly allowExec: boolean;
  /** Whether other stacks bring jobs. */
  readonly shared: boolean;
  readonly permissionsBoundary: IManagedPolicy | undefined;
  /** Learn of those of jobs. */
  readonly jobs: JobPolicies;
}

/** The VMs of a scaffolding: its own kind, and one for each deployed job and each role for jobs. */
export class VmKinds {
  readonly #cloud: Construct;
  readonly #props: VmKindsProps;
  readonly #kinds: VmKind[] = [];

  constructor(cloud: Construct, props: VmKindsProps) {
    this.#cloud = cloud;
    this.#props = props;
  }

  /** Of the roles in the scaffolding's stack. */
  get roleIds(): string[] {
    return this.#kinds.map(({ roleId }) => roleId);
  }

  /** What jobs have that have none of their own. @param path of the role. @default - / */
  addOwn(path?: string): VmKind {
    return this.#add(this.#cloud, { path });
  }

  /** Those of a job or a role, below `scope`. @throws when it is in another stack and the scaffolding is not shared, or in another place */
  add(scope: Construct, description: string): VmKind {
    return isHere(scope, this.#cloud) ? this.#addJob(scope, description) : this.#addForeign(scope, description);
  }

  /** Their role lies where other stacks' do, so that it stays the same when the scaffolding becomes `shared`. */
  #addJob(scope: Construct, description: string): VmKind {
    const { scaffold, jobs } = this.#props;
    this.#bound(scope);
    const kind = this.#add(scope, { description, path: vmRolePath(Stack.of(this.#cloud).region, scaffold) });
    jobs.add({ roleArn: kind.role.roleArn, templateArn: templateArn(this.#cloud, kind) });
    return kind;
  }

  #addForeign(scope: Construct, description: string): VmKind {
    const { scaffold, bucket, securityGroupIds, vmTags, allowExec, shared } = this.#props;
    checkSamePlace(scope, this.#cloud);
    if (!shared) throw unshared(scope, this.#cloud);
    this.#bound(scope);
    return addForeignVmKind(scope, description, { scaffold, bucket, securityGroupIds, vmTags, allowExec });
  }

  #add(scope: Construct, roleProps: Pick<VmRoleProps, 'description' | 'path'>): VmKind {
    const { scaffold, bucket, bucketKey, securityGroupIds, vmTags, allowExec } = this.#props;
    const role = createVmRole(scope, bucket.bucketArn, { ...roleProps, allowExec });
    grantKey(bucketKey, role, KEY_ACTIONS.write);
    const template = createLaunchTemplate(scope, {
      name: scaffold,
      bucket: bucket.bucketName,
      region: Stack.of(this.#cloud).region,
      roleId: role.roleId,
      instanceProfileArn: createInstanceProfile(scope, role).instanceProfileArn,
      securityGroupIds,
      vmTags,
    });
    const kind = { role, roleId: role.roleId, template };
    this.#kinds.push(kind);
    return kind;
  }

  #bound(scope: Construct): void {
    const { permissionsBoundary } = this.#props;
    if (permissionsBoundary) PermissionsBoundary.of(scope).apply(permissionsBoundary);
  }
}
