import type { PolicyStatement } from '../../lib/contract';
import { resolve } from '../constructs/resolve';
import type { Resource } from './apps';

/** Who calls in the local cloud: whoever has grantRun, grantRead, grantStop; the functions; VMs by the scaffolding's role, a job's, and one for jobs. */
export const RECORDED = ['client', 'reader', 'stopper', 'launch', 'reaper', 'vm', 'job', 'training'] as const;
/**
 * And, in scaffoldings that are in the templates only: whoever has grantRun of the one with limits, and of the one that is shared, and VMs of
 * a job that another stack brought into that.
 */
export const WHO = [...RECORDED, 'limited', 'sharer', 'guest'] as const;
export type Who = (typeof WHO)[number];

/** Logical id of the role in the template, without the hash. A new kind of grantee gets a line here, and lines in the tables. */
const ROLES: Readonly<Record<Who, RegExp>> = {
  client: /^Client[0-9A-F]{8}$/,
  reader: /^Reader[0-9A-F]{8}$/,
  stopper: /^Stopper[0-9A-F]{8}$/,
  launch: /^RawCloudLaunchRole[0-9A-F]{8}$/,
  reaper: /^RawCloudReaperRole[0-9A-F]{8}$/,
  vm: /^RawCloudVmRole[0-9A-F]{8}$/,
  job: /^NightlyJobVmRole[0-9A-F]{8}$/,
  training: /^TrainingVmRole[0-9A-F]{8}$/,
  limited: /^LimitedClient[0-9A-F]{8}$/,
  sharer: /^Sharer[0-9A-F]{8}$/,
  guest: /^GuestJobVmRole[0-9A-F]{8}$/,
};

/** What CloudFormation makes of a template's resources, by their names without the hash: `RawCloudBucket`, `RawCloudBucket.Arn`. */
export type Names = Readonly<Record<string, string>>;

/** What a template lets whom do. */
export interface Access {
  readonly identity: Readonly<Record<Who, readonly PolicyStatement[]>>;
  /** Policy of the first scaffolding's bucket. */
  readonly bucket: readonly PolicyStatement[];
  /** Policy of the key that it is encrypted with: it leaves all to IAM. */
  readonly key: readonly PolicyStatement[];
}

interface Document {
  readonly Statement: readonly PolicyStatement[];
}

export function accessOf(resources: Readonly<Record<string, Resource>>, names: Names): Access {
  const named = (reference: string): string => {
    // As CloudFormation reads what a shared scaffolding publishes.
    if (/^SsmParameterValuerawcloudsharedsharedbucket/.test(reference)) return names['SharedBucket']!;
    const name = reference.replace(/[0-9A-F]{8}(?=$|\.)/, '');
    return names[name] ?? (reference.endsWith('.Arn') ? `arn:aws:none:::${name}` : `none-${name}`);
  };
  const statements = (document: unknown): readonly PolicyStatement[] => (resolve(document, named) as Document).Statement;
  const found = Object.entries(resources);
  const holds = (list: unknown, id: string): boolean => JSON.stringify(list ?? []).includes(`"${id}"`);
  const ofRole = (id: string): readonly PolicyStatement[] => {
    const { Policies, ManagedPolicyArns } = resources[id]!.Properties;
    const attached = found.filter(
      ([policy, { Type, Properties }]) =>
        /^AWS::IAM::(Managed)?Policy$/.test(Type) && (holds(Properties['Roles'], id) || holds(ManagedPolicyArns, policy)),
    );
    return [
      ...((Policies ?? []) as { PolicyDocument: unknown }[]).flatMap((p) => statements(p.PolicyDocument)),
      ...attached.flatMap(([, r]) => statements(r.Properties['PolicyDocument'])),
    ];
  };
  const role = (shape: RegExp): string => only(found.filter(([id, r]) => r.Type === 'AWS::IAM::Role' && shape.test(id)))[0];
  const policy = only(found.filter(([id, r]) => r.Type === 'AWS::S3::BucketPolicy' && id.startsWith('RawCloudBucket')))[1];
  return {
    identity: Object.fromEntries(WHO.map((who) => [who, ofRole(role(ROLES[who]))])) as Record<Who, readonly PolicyStatement[]>,
    key: statements(only(found.filter(([id, r]) => r.Type === 'AWS::KMS::Key' && id.startsWith('BucketKey')))[1].Properties['KeyPolicy']),
    bucket: statements(policy.Properties['PolicyDocument']),
  };
}

function only<T>(items: readonly T[]): T {
  if (items.length !== 1) throw new Error(`${items.length} resources fit, and not one`);
  return items[0]!;
}
