import * as v from 'valibot';
import { bucketKeys, ROOT } from './keys';
import { RawcloudError } from './errors';
import { decodeJson } from './json';
import { LimitsSchema } from './limits';
import { refuseNewerScaffold } from './upgrade';

/** A subnet of a VPC that was brought along. */
const SubnetSchema = v.object({
  id: v.string(),
  zone: v.string(),
  /** Whether its VMs have a public IPv4 address, which costs. */
  public: v.boolean(),
});
export type ScaffoldSubnet = v.InferOutput<typeof SubnetSchema>;

/**
 * The facts that the account scaffolding and the runtime share. `lib/constructs` lays them down with CDK,
 * the local cloud sets itself up from the same functions, and the runtime reads them from one SSM parameter.
 */
export const ScaffoldSchema = v.object({
  v: v.literal(1),
  /** `default` unless several live in one account. */
  name: v.string(),
  account: v.string(),
  region: v.string(),
  bucket: v.string(),
  /** Unique id of the VM role (`AROA…`): the first half of a VM's `aws:userid`. */
  roleId: v.string(),
  launchTemplateId: v.string(),
  /** Version of the template that fits these facts. */
  launchTemplateVersion: v.string(),
  securityGroupId: v.string(),
  /** Zones of the region in which VMs may be launched. */
  zones: v.array(v.string()),
  /** Where VMs are launched, one for each zone. @default - the default subnets of the zones */
  subnets: v.optional(v.array(SubnetSchema)),
  /** Tags that every VM, volume, interface and spot request must carry, as the account's owner wants. @default - none */
  vmTags: v.optional(v.record(v.string(), v.string())),
  /** What jobs may have. @default - no limits but the account's own */
  limits: v.optional(LimitsSchema),
  /** Other regions that are looked through for what carries the scaffolding's tag. @default - all that the account can use */
  watchedRegions: v.optional(v.array(v.string())),
  /** Its session document, where VMs of running jobs may be entered. @default - nobody enters */
  exec: v.optional(v.object({ document: v.string() })),
  /** Version of the package that laid it down. */
  version: v.string(),
});
export type Scaffold = v.InferOutput<typeof ScaffoldSchema>;

export const DEFAULT_SCAFFOLD_NAME = 'default';

/** Name of the SSM parameter (type String) that holds the {@link Scaffold} as JSON. */
export function scaffoldParameterName(name: string): string {
  return `/rawcloud/${checkScaffoldName(name)}/scaffold`;
}

/** @throws E_USAGE unless 1 to 32 lower-case letters, digits and dashes, starting with a letter */
export function checkScaffoldName(name: string): string {
  if (/^[a-z][a-z0-9-]{0,31}$/.test(name)) return name;
  throw new RawcloudError(
    'E_USAGE',
    `scaffolding name '${name}' is not valid; allowed are 1 to 32 lower-case letters, digits and dashes, starting with a letter`,
  );
}

/**
 * Reads the parameter's value. Keys that this version does not know are passed over.
 * @throws E_NEWER for a higher `v`, E_RECORD
 */
export function parseScaffold(text: string): Scaffold {
  refuseNewerScaffold(fieldsOf(text));
  return decodeJson(ScaffoldSchema, Buffer.from(text), 'the scaffolding parameter');
}

function fieldsOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    // What is no JSON is refused in better words by who reads it.
    return {};
  }
}

/** SSM public parameter with the newest Amazon Linux 2023 image. Source: EC2 user guide, "Reference the latest AMIs using SSM public parameters". */
export function amazonLinuxParameter(arch: 'x86_64' | 'arm64'): string {
  return `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${arch}`;
}

/** An IAM policy statement as plain data, in the shape of the policy language. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  /** Only in resource policies. */
  readonly Principal?: '*';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** What a VM may do: read what its grant names, write its own directory and task keys. It may list nothing. */
export function vmRoleStatements(bucketArn: string): PolicyStatement[] {
  const own = '${aws:userid}';
  return [
    {
      Sid: 'OwnGrant',
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:DeleteObject'],
      Resource: `${bucketArn}/${bucketKeys.privateDirectory(own)}*`,
    },
    {
      Sid: 'ReadContent',
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: ['files', 'environments', 'agent'].map((d) => `${bucketArn}/${ROOT}${d}/*`),
    },
    // A job's prefix holds 128 secret bits: only a VM that was told it can name a key under it.
    { Sid: 'ReadJob', Effect: 'Allow', Action: 's3:GetObject', Resource: `${bucketArn}/${ROOT}jobs/*` },
    { Sid: 'WriteOwnDirectory', Effect: 'Allow', Action: 's3:PutObject', Resource: `${bucketArn}/${ROOT}jobs/*/vm/${own}/*` },
    // Keys of environments hold 256 bits that only VMs of one owner can make.
    { Sid: 'WriteEnvironments', Effect: 'Allow', Action: 's3:PutObject', Resource: `${bucketArn}/${bucketKeys.environments}*` },
    {
      Sid: 'WriteTasks',
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: [`${bucketArn}/${ROOT}jobs/*/task/*`, `${bucketArn}/${ROOT}jobs/*/outcome.json`],
    },
  ];
}

/** Who our VMs are, for the policy of a bucket: by the ids of their roles, or by where those lie. At least one of the two. */
export interface OurVms {
  /** {@link anyVmOf} each role. */
  readonly userIds?: readonly string[];
  /** {@link vmRolesUnder} a path: for policies that are written before the roles are there. */
  readonly roleArns?: readonly string[];
}

/** Bucket policy: nobody but the VMs of our roles reads private grants, not even an administrator by accident. */
export function bucketStatements(bucketArn: string, { userIds, roleArns }: OurVms): PolicyStatement[] {
  return [
    {
      Sid: 'PrivateGrantsForVmsOnly',
      Effect: 'Deny',
      Principal: '*',
      Action: ['s3:GetObject', 's3:GetObjectVersion'],
      Resource: `${bucketArn}/${ROOT}private/*`,
      // Who fits one of them is let through: IAM wants all operators of a condition to hold.
      Condition: {
        ...(userIds ? { StringNotLike: { 'aws:userid': userIds } } : {}),
        ...(roleArns ? { ArnNotLike: { 'aws:PrincipalArn': roleArns } } : {}),
      },
    },
  ];
}

/**
 * IAM path of the VM roles of a scaffolding that others must know before they are made: the owner of a bucket that was brought,
 * or the scaffolding of a job in another stack. Names the region, since roles are the whole account's.
 */
export function vmRolePath(region: string, scaffold: string): string {
  return `/rawcloud/${region}/${checkScaffoldName(scaffold)}/`;
}

/** ARNs of all roles under {@link vmRolePath}, as a pattern. */
export function vmRolesUnder(
  where: { readonly partition: string; readonly account: string; readonly region: string },
  scaffold: string,
): string {
  return `${where.partition}:iam::${where.account}:role${vmRolePath(where.region, scaffold)}*`;
}

/** The `aws:userid` of any VM of a role, as a pattern. */
export function anyVmOf(roleId: string): string {
  return `${roleId}:*`;
}
