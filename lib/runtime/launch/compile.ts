import { createHash } from 'node:crypto';
import { TAGS } from '../../contract';
import type { JobSpec, Offer, Scaffold } from '../../contract';

/** An image as far as a launch needs it. */
export interface Image {
  readonly id: string;
  /** Name of the root device, as `/dev/xvda`. */
  readonly rootDevice: string;
}

export interface LaunchInput {
  readonly spec: Pick<JobSpec, 'job' | 'name' | 'tags'> & { readonly hardware: Pick<JobSpec['hardware'], 'diskGiB'> };
  readonly scaffold: Scaffold;
  readonly image: Image;
  readonly offer: Offer;
  readonly n: number;
  readonly lifetimeUntil: number;
}

/**
 * A spot VM that ends with its interruption. No maximum price: EC2 then takes the on-demand price for it, and a lower one
 * would only be interrupted more often (EC2 API reference, SpotMarketOptions).
 */
const SPOT = { MarketType: 'spot', SpotOptions: { SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate' } } as const;

/** ClientToken of a launch: the same job, launch number and offer always give the same. EC2 allows 64 characters. */
export function clientToken(job: string, n: number, offer: Offer): string {
  const what = [job, n, offer.vmType, offer.zone ?? '', offer.purchase].join('\n');
  return createHash('sha256').update(what).digest('hex').slice(0, 48);
}

/** The input of RunInstances as JSON text: pure, so that the same launch always compiles to the same bytes. */
export function compileLaunch(input: LaunchInput): string {
  const { spec, scaffold, image, offer, n } = input;
  const tags = launchTags(input);
  return JSON.stringify({
    ...offerPart(spec.job, n, offer, scaffold.subnets),
    LaunchTemplate: { LaunchTemplateId: scaffold.launchTemplateId, Version: scaffold.launchTemplateVersion },
    ImageId: image.id,
    MinCount: 1,
    MaxCount: 1,
    InstanceInitiatedShutdownBehavior: 'terminate',
    BlockDeviceMappings: [
      { DeviceName: image.rootDevice, Ebs: { VolumeSize: spec.hardware.diskGiB, VolumeType: 'gp3', DeleteOnTermination: true } },
    ],
    TagSpecifications: tagged(offer, tags),
  });
}

/**
 * The request of a job's next launch, made from the last one: any driver can go on, knowing only the record.
 * @param scaffold as it is now: IAM refuses launches without its tags, and outside of its subnets
 */
export function recompileLaunch(
  request: string,
  job: string,
  n: number,
  offer: Offer,
  { vmTags, subnets }: Pick<Scaffold, 'vmTags' | 'subnets'> = {},
): string {
  const {
    Placement: _zone,
    SubnetId: subnet,
    CreditSpecification: _credits,
    InstanceMarketOptions: _market,
    ...last
  } = JSON.parse(request) as CompiledLaunch;
  return JSON.stringify({
    ...last,
    // The template of a launch in the default VPC has a group of that VPC.
    ...offerPart(job, n, offer, subnet === undefined ? undefined : subnets),
    TagSpecifications: tagged(offer, tagList({ ...tagsOf(last), ...vmTags, [TAGS.launch]: String(n) })),
  });
}

interface CompiledLaunch {
  readonly Placement?: unknown;
  readonly SubnetId?: string;
  readonly CreditSpecification?: unknown;
  readonly InstanceMarketOptions?: unknown;
  readonly TagSpecifications: readonly {
    readonly ResourceType: string;
    readonly Tags: readonly Tag[];
  }[];
}

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** All that a launch makes carries the same tags; EC2 refuses those of a spot request where none is made. */
function tagged({ purchase }: Offer, Tags: readonly Tag[]): CompiledLaunch['TagSpecifications'] {
  const kinds = ['instance', 'volume', 'network-interface', ...(purchase === 'spot' ? ['spot-instances-request'] : [])];
  return kinds.map((ResourceType) => ({ ResourceType, Tags }));
}

function tagsOf({ TagSpecifications: [first] }: CompiledLaunch): Record<string, string> {
  return Object.fromEntries((first?.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
}

function tagList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function offerPart(job: string, n: number, offer: Offer, subnets: Scaffold['subnets']): Record<string, unknown> {
  const subnet = subnets?.find(({ zone }) => zone === offer.zone);
  return {
    ClientToken: clientToken(job, n, offer),
    InstanceType: offer.vmType,
    ...(subnet ? { SubnetId: subnet.id } : offer.zone ? { Placement: { AvailabilityZone: offer.zone } } : {}),
    ...(offer.purchase === 'spot' ? { InstanceMarketOptions: SPOT } : {}),
    // Surplus credits of a busy burstable VM would be billed on top of the price shown.
    ...(isBurstable(offer.vmType) ? { CreditSpecification: { CpuCredits: 'standard' } } : {}),
  };
}

function launchTags({ spec, scaffold, n, lifetimeUntil }: LaunchInput): Tag[] {
  const ours = {
    [TAGS.scaffold]: scaffold.name,
    [TAGS.job]: spec.job,
    [TAGS.launch]: String(n),
    [TAGS.until]: new Date(lifetimeUntil).toISOString(),
    Name: spec.name ? `rawcloud ${spec.name}` : `rawcloud ${spec.job}`,
  };
  return tagList({ ...spec.tags, ...scaffold.vmTags, ...ours });
}

function isBurstable(vmType: string): boolean {
  return /^t\d/.test(vmType);
}
