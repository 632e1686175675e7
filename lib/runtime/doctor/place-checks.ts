import { raiseCommand, SPECIAL_QUOTAS, STANDARD_QUOTAS } from '../../contract';
import type { FamilyQuotas, FoundSubnet, Scaffold, ScaffoldSubnet, VcpuQuota } from '../../contract';
import type { Finding, Look } from './finding';

/** Where VMs go: the subnets that were brought along, or those of the default VPC that give addresses. */
export const network: Look = async (facts) => {
  const { look } = facts.deps;
  await facts.caller();
  const { subnets: brought } = await facts.scaffold().catch((): Partial<Scaffold> => ({}));
  if (brought) return broughtAlong(await look.subnets({ ids: brought.map(({ id }) => id) }, facts.signal), brought);
  const vpcId = await look.defaultVpc(facts.signal);
  if (vpcId === undefined) {
    return {
      state: 'failed',
      text: `${look.region} has no default VPC`,
      remedy:
        `Make it anew, free of charge: aws ec2 create-default-vpc --region ${look.region}; ` +
        `or take a VPC of yours: rawcloud deploy --vpc vpc-… --region ${look.region}`,
    };
  }
  const subnets = (await look.subnets({ vpcId }, facts.signal)).filter((subnet) => subnet.public);
  const zones = [...new Set(subnets.map(({ zone }) => zone))].sort();
  const data = { vpcId, subnets, zones };
  if (subnets.length === 0) {
    const remedy = `Make one: aws ec2 create-default-subnet --availability-zone ${look.region}a --region ${look.region}`;
    return { state: 'failed', text: `default VPC ${vpcId} has no subnet with public addresses`, remedy, data };
  }
  const full = subnets.filter(({ freeAddresses }) => freeAddresses === 0);
  const text = `default VPC ${vpcId}, public subnets in ${zones.join(', ')}`;
  if (full.length < subnets.length) return { state: 'ok', text, data };
  return { state: 'failed', text: `${text}, without a free address`, remedy: 'Wait until others end, or make subnets.', data };
};

/** Whether a private subnet reaches S3 is seen by a job only: its VM ends itself after two minutes, with its boot log. */
function broughtAlong(found: readonly FoundSubnet[], brought: readonly ScaffoldSubnet[]): Finding {
  const data = { subnets: found, zones: brought.map(({ zone }) => zone).sort() };
  const text = `subnets of RawCloud's vpc: ${brought.map((s) => `${s.id} in ${s.zone}${s.public ? '' : ' (private)'}`).join(', ')}`;
  const gone = brought.filter(({ id }) => !found.some((subnet) => subnet.id === id)).map(({ id }) => id);
  if (gone.length > 0)
    return {
      state: 'failed',
      text: `${gone.join(', ')} is not there`,
      remedy: 'Give subnets that are there: rawcloud deploy --subnets subnet-…',
      data,
    };
  const mute = brought.filter((s) => s.public && found.some(({ id, public: gives }) => id === s.id && !gives)).map(({ id }) => id);
  if (mute.length > 0) {
    const remedy = `aws ec2 modify-subnet-attribute --map-public-ip-on-launch --subnet-id ${mute[0]}, or take private subnets with a way to S3.`;
    return { state: 'failed', text: `${mute.join(', ')} is public, but gives no public address`, remedy, data };
  }
  if (found.every(({ freeAddresses }) => freeAddresses === 0)) {
    return { state: 'failed', text: `${text}, without a free address`, remedy: 'Wait until others end, or give more subnets.', data };
  }
  return { state: 'ok', text, data };
}

/** The image that VMs boot, for both architectures. */
export const images: Look = async (facts) => {
  const { x86_64, arm64 } = await facts.images();
  const data = { ...(x86_64 ? { x86_64: x86_64.id } : {}), ...(arm64 ? { arm64: arm64.id } : {}) };
  const text = `Amazon Linux 2023: ${[x86_64 && `x86_64 ${x86_64.id}`, arm64 && `arm64 ${arm64.id}`].filter(Boolean).join(', ') || 'none'}`;
  if (x86_64 && arm64) return { state: 'ok', text, data };
  const remedy = `${facts.deps.look.region} has no public parameter for the other: give --image.`;
  return { state: x86_64 || arm64 ? 'warning' : 'failed', text, remedy, data };
};

/** vCPUs of the VM that a run asks for when nothing is said. */
const USUAL_VCPUS = 2;
/** What is asked for where there is next to nothing. */
const DESIRED = 32;

/** Quotas by family: the standard one has to let a VM start, the others are for who asks for such types. */
export const quotas: Look = async (facts) => {
  const { look } = facts.deps;
  await facts.caller();
  const values = await look.quotas(facts.signal);
  const used = await look.vcpusInUse(facts.signal);
  const state = { values, used, region: look.region };
  const rest = SPECIAL_QUOTAS.filter((family) => has(family, values));
  const none = SPECIAL_QUOTAS.filter((family) => values[family.onDemand.code] !== undefined && !has(family, values));
  return [standardLine(state), ...rest.map((family) => familyLine(family, state)), ...noneLine(none, look.region)];
};

interface QuotaFacts {
  readonly values: Readonly<Record<string, number>>;
  readonly used: Readonly<Record<string, number>>;
  readonly region: string;
}

function has({ onDemand, spot }: FamilyQuotas, values: QuotaFacts['values']): boolean {
  return [onDemand, spot].some((quota) => quota !== undefined && (values[quota.code] ?? 0) > 0);
}

function standardLine(facts: QuotaFacts): Finding {
  const line = familyLine(STANDARD_QUOTAS, facts);
  const [onDemand, spot] = [STANDARD_QUOTAS.onDemand, STANDARD_QUOTAS.spot!];
  if (free(onDemand, facts) < USUAL_VCPUS) return { ...line, state: 'failed', remedy: raise(onDemand, facts) };
  if (free(spot, facts) < USUAL_VCPUS) return { ...line, state: 'warning', remedy: `For spot VMs: ${raise(spot, facts)}` };
  return line;
}

function familyLine({ title, onDemand, spot }: FamilyQuotas, facts: QuotaFacts): Finding {
  const words = (quota: VcpuQuota): string => {
    const value = facts.values[quota.code];
    return value === undefined ? 'unknown' : `${facts.used[quota.code] ?? 0} of ${value} vCPU in use`;
  };
  const about = (quota: VcpuQuota): object => ({ code: quota.code, value: facts.values[quota.code], used: facts.used[quota.code] ?? 0 });
  return {
    state: 'ok',
    text: `${title}: ${words(onDemand)}${spot ? `, spot ${words(spot)}` : ''}`,
    data: { family: title, onDemand: about(onDemand), ...(spot ? { spot: about(spot) } : {}) },
  };
}

/** A quota that Service Quotas does not tell of is not counted against anybody. */
function free({ code }: VcpuQuota, { values, used }: QuotaFacts): number {
  return (values[code] ?? Infinity) - (used[code] ?? 0);
}

function raise(quota: VcpuQuota, { values, region }: QuotaFacts): string {
  return raiseCommand(quota, (values[quota.code] ?? 0) + DESIRED, region);
}

function noneLine(none: readonly FamilyQuotas[], region: string): Finding[] {
  if (none.length === 0) return [];
  const [first] = none;
  const families = none.map(({ title }) => title).join(', ');
  return [
    {
      state: 'ok',
      text: `no VMs of the families ${families}; to have some, as for ${first!.title}: ${raiseCommand(first!.onDemand, DESIRED, region)}`,
      data: { families: none.map(({ title, onDemand }) => ({ family: title, code: onDemand.code })) },
    },
  ];
}
