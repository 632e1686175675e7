import type { FoundStack } from './destroy';
import type { AccountLook, FoundIdentity, FoundSubnet } from './doctor';
import type { ScaffoldChoices } from './choices';

/** A stack as CloudFormation has it. */
export interface StackState {
  readonly id: string;
  readonly name: string;
  /** As `UPDATE_COMPLETE`. */
  readonly status: string;
  readonly reason: string;
  /** Of its template. */
  readonly description: string;
}

/** A CloudFormation template, as far as we look into it. */
export interface Template {
  readonly Metadata?: unknown;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** What a deployment looks at before it begins. Nothing here changes anything. Failures are RawcloudErrors. */
export interface DeploymentLook extends Pick<AccountLook, 'region' | 'parameter' | 'defaultVpc' | 'bucketRegion'> {
  identity(signal?: AbortSignal): Promise<Pick<FoundIdentity, 'arn' | 'account'>>;
  subnets(which: { readonly vpcId: string }, signal?: AbortSignal): Promise<FoundSubnet[]>;
  /** By name; undefined when there is none, or only one that was deleted. */
  stack(name: string): Promise<StackState | undefined>;
  /** As it was deployed. CloudFormation has `?` for what is not ASCII. */
  template(stack: string): Promise<Template>;
  /** Takes on a role for the shortest time, and drops it. @throws E_PERMISSION when that is refused */
  tryRole(arn: string, signal?: AbortSignal): Promise<void>;
  /** The stack that made a resource; undefined when none did. @param likely name of a stack to look into as well */
  stackOf(physicalId: string, likely: string): Promise<FoundStack | undefined>;
}

/** What is to be deployed: the CDK app's output. */
export interface Assembly {
  readonly directory: string;
  readonly stackName: string;
  readonly template: Template;
}

/** What becomes of one resource. */
export interface ResourceChange {
  readonly id: string;
  readonly type: string;
  readonly action: 'create' | 'update' | 'replace' | 'may-replace' | 'remove' | 'leave';
  /** Properties that differ; of an update. */
  readonly properties: readonly string[];
}

/** One step of CloudFormation. */
export interface StackStep {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly physicalId?: string;
  readonly done: number;
  readonly total?: number;
}

/** The CDK at work: what needs its packages. */
export interface CdkTools {
  /** Runs our CDK app. */
  synthesize(name: string, choices: ScaffoldChoices, signal?: AbortSignal): Promise<Assembly>;
  /** What would become of each resource; those that stay as they are are left out. */
  changes(before: Template | undefined, after: Template): ResourceChange[];
  /** @param executionPolicies what CloudFormation may do: ARNs of managed policies. Empty: AdministratorAccess */
  bootstrap(account: string, executionPolicies: readonly string[], onStep: (step: StackStep) => Promise<void>): Promise<void>;
  /** Uploads the functions' code and makes or updates the stack. Rejects with whatever the CDK says. */
  deploy(assembly: Assembly, onStep: (step: StackStep) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Where the CDK's packages are, or would be. */
export interface CdkPackages {
  /** Name and version of each. */
  readonly packages: Readonly<Record<string, string>>;
  readonly directory: string;
  isThere(): Promise<boolean>;
  /** By the user's own npm. @throws E_ENVIRONMENT */
  install(signal?: AbortSignal): Promise<void>;
  open(): Promise<CdkTools>;
}
