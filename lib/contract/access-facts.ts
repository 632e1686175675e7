import type { Limits } from './limits';
import type { LookFacts } from './look-access';

/** What access is narrowed to. Names and ARNs, or what stands for them until deployment. */
export interface AccessFacts extends LookFacts {
  readonly securityGroupId: string;
  /** Groups that VMs get besides. @default - none */
  readonly otherSecurityGroupIds?: readonly string[];
  /** Ids of the subnets in which VMs are launched. @default - any */
  readonly subnetIds?: readonly string[];
  /** ARNs of the roles that VMs may get; those of deployed jobs stand in policies of their own ({@link jobVmStatements}). */
  readonly vmRoleArns: readonly string[];
  /** ARNs of the launch templates that VMs are launched from; for those of deployed jobs the same holds. */
  readonly launchTemplateArns: readonly string[];
  /** Tags that every launch must give. @default - none but ours */
  readonly vmTags?: Readonly<Record<string, string>>;
  /** What VMs may be launched. @default - any */
  readonly limits?: Limits;
  /**
   * Whether other stacks bring jobs. Their roles are known by path ({@link vmRolesUnder}) and their templates by our tag: whoever may make
   * roles under that path, or give launch templates that tag, brings jobs. @default false
   */
  readonly otherStacks?: boolean;
  /** Whether `rawcloud exec` is allowed. @default false */
  readonly exec?: boolean;
}
