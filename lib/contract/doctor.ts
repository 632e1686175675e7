import type { Arch } from './spec';

/**
 * What `rawcloud doctor` finds, and what it asks of the account. A check is one line.
 *
 *     ok       well
 *     warning  jobs run; something will cost time or is out of date
 *     failed   jobs do not run before the remedy is done
 *     unknown  not looked at, and why: what it needs could not be had
 */
export type CheckState = 'ok' | 'warning' | 'failed' | 'unknown';

export type CheckId =
  'identity' | 'clock' | 'scaffolding' | 'bucket' | 'permissions' | 'exec' | 'network' | 'images' | 'prices' | 'quotas' | 'reaper';

export interface Check {
  readonly id: CheckId;
  readonly state: CheckState;
  /** One line for people. */
  readonly text: string;
  /** What to do. */
  readonly remedy?: string;
  /** The same as facts, by names that stay. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Who the caller is, and where its keys were found. */
export interface FoundIdentity {
  readonly arn: string;
  readonly account: string;
  /** In words: `profile work (SSO)`, `AWS_ACCESS_KEY_ID of the environment`. */
  readonly found: string;
  /** ISO 8601; absent for keys without an end. */
  readonly expiresAt?: string;
  /** Whether the keys are a session's; only long-term keys can be exchanged for one. */
  readonly temporary: boolean;
}

export interface FoundSubnet {
  readonly id: string;
  readonly zone: string;
  /** Gives its VMs a public address. */
  readonly public: boolean;
  readonly freeAddresses: number;
}

/**
 * An account as the doctor looks at it. Nothing here changes anything: what would is a dry run, or names what does not
 * exist. Failures are RawcloudErrors; a refusal is E_PERMISSION with `data.action`.
 */
export interface AccountLook {
  readonly region: string;
  identity(signal?: AbortSignal): Promise<FoundIdentity>;
  /** By a request without keys. @returns the server's clock less this machine's, milliseconds, to about a second */
  clockDifference(signal?: AbortSignal): Promise<number>;
  /** Value of an SSM parameter. */
  parameter(name: string, signal?: AbortSignal): Promise<string | undefined>;
  /** @throws when there is no such image */
  image(id: string, signal?: AbortSignal): Promise<{ readonly id: string; readonly rootDevice: string; readonly arch: Arch }>;
  /** Id of the region's default VPC. */
  defaultVpc(signal?: AbortSignal): Promise<string | undefined>;
  /** Of a VPC, or those of the ids that there are. */
  subnets(which: { readonly vpcId: string } | { readonly ids: readonly string[] }, signal?: AbortSignal): Promise<FoundSubnet[]>;
  /** Region of a bucket, which must be the account's. @throws E_AWS_REQUEST when there is none, E_PERMISSION */
  bucketRegion(bucket: string, account: string, signal?: AbortSignal): Promise<string>;
  /** Ends an upload that does not exist. */
  tryAbort(bucket: string, key: string, signal?: AbortSignal): Promise<void>;
  /** Dry run of a launch: resolves when EC2 would have launched. @param request input of RunInstances as JSON text */
  tryLaunch(request: string, signal?: AbortSignal): Promise<void>;
  /** Dry runs on a VM: resolve when EC2 would have done it. */
  tryTerminate(id: string, signal?: AbortSignal): Promise<void>;
  tryTag(id: string, key: string, value: string, signal?: AbortSignal): Promise<void>;
  /**
   * Asks for a session on a VM in a way that its document refuses: resolves when the caller might have one, and says whether the VM's
   * agent has been heard of, as far as the refusal tells. @throws E_PERMISSION
   */
  tryEnter(id: string, document: string, signal?: AbortSignal): Promise<'reached' | 'not reached'>;
  /** Makes a session of long-term keys, and forgets it. */
  trySession(): Promise<void>;
  /** The smallest answer that a call gives. */
  ask(call: AskedCall, signal?: AbortSignal): Promise<void>;
  /** Applied vCPU quotas by code. */
  quotas(signal?: AbortSignal): Promise<Record<string, number>>;
  /** vCPUs that run, whoever's they are, by code of the quota that counts them. */
  vcpusInUse(signal?: AbortSignal): Promise<Record<string, number>>;
}

/** Calls that only look, and that running jobs makes. */
export const ASKED_CALLS = [
  'ec2:DescribeInstanceTypes',
  'ec2:DescribeInstanceTypeOfferings',
  'ec2:DescribeSpotPriceHistory',
  'pricing:GetProducts',
  'servicequotas:GetServiceQuota',
] as const;
export type AskedCall = (typeof ASKED_CALLS)[number];
