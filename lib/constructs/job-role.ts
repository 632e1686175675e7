import { Stack, Tags } from 'aws-cdk-lib';
import type { IGrantable, IPrincipal, IRole } from 'aws-cdk-lib/aws-iam';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { checkJobRoleName, jobRoleParameterName, TAGS } from '../contract';
import type { JobRole as JobRoleRecord } from '../contract';
import type { IRawCloud } from './i-raw-cloud';

/** A role for jobs that people run. */
export interface JobRoleProps {
  /** The scaffolding whose jobs may have it. */
  readonly cloud: IRawCloud;
  /** What `rawcloud run --role` calls it by: 1 to 64 letters, digits, '.', '_' and '-'. @default - the construct's id */
  readonly name?: string;
}

/**
 * What a job may be for AWS instead of its caller: `rawcloud run --role training`. It holds as long as the job does, whoever watches and
 * whenever the caller's own session ends, and may what was granted to it. Whoever has `grantRun` may run jobs with it.
 *
 * ```ts
 * const role = new JobRole(this, 'training', { cloud });
 * bucket.grantReadWrite(role);
 * ```
 */
export class JobRole extends Construct implements IGrantable {
  /** What the VMs of its jobs, and so these, are for AWS. */
  readonly role: IRole;

  readonly grantPrincipal: IPrincipal;

  constructor(scope: Construct, id: string, { cloud, name = id }: JobRoleProps) {
    super(scope, id);
    checkJobRoleName(name);
    cloud.jobHost.takeName('role', name, this);
    Tags.of(this).add(TAGS.scaffold, cloud.scaffoldName);
    const { role, roleId, template } = cloud.jobHost.addVmKind(this, `rawcloud: VMs of jobs with the role ${name}`);
    this.role = role;
    this.grantPrincipal = role.grantPrincipal;
    const record: JobRoleRecord = {
      v: 1,
      name,
      roleArn: role.roleArn,
      roleId,
      launchTemplateId: template.ref,
      launchTemplateVersion: template.attrLatestVersionNumber,
    };
    new StringParameter(this, 'Role', {
      parameterName: jobRoleParameterName(cloud.scaffoldName, name),
      description: `rawcloud: the role ${name} of jobs`,
      stringValue: Stack.of(this).toJsonString(record),
    });
  }
}
