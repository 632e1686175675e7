import { InstanceProfile, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { vmExecStatements, vmRoleStatements } from '../contract';

export interface VmRoleProps {
  readonly description?: string | undefined;
  /** @default - / */
  readonly path?: string | undefined;
  /** Whether its SSM agent may register. @default false */
  readonly allowExec?: boolean | undefined;
}

/** What a VM is for AWS: the bucket by {@link vmRoleStatements}, Session Manager where it is wanted, and nothing else; no managed policy. */
export function createVmRole(scope: Construct, bucketArn: string, { description = VMS, path, allowExec = false }: VmRoleProps = {}): Role {
  const allowed = [...vmRoleStatements(bucketArn), ...(allowExec ? vmExecStatements() : [])];
  const statements = allowed.map((statement) => PolicyStatement.fromJson(statement));
  return new Role(scope, 'VmRole', {
    description,
    ...(path === undefined ? {} : { path }),
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    inlinePolicies: { bucket: new PolicyDocument({ statements }) },
  });
}

const VMS = 'rawcloud: VMs read what their grant names and write their own directory';

/** How EC2 hands the role to a VM. */
export function createInstanceProfile(scope: Construct, role: Role): InstanceProfile {
  return new InstanceProfile(scope, 'VmProfile', { role });
}
