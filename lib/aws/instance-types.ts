import type { InstanceTypeInfo } from '@aws-sdk/client-ec2';
import type { TypeRow } from '../contract';
import type { AwsContext } from './clients';
import { wording } from './errors';

/** Rows on a page. EC2 allows 100 types, 1000 offerings. */
const TYPES_A_PAGE = 100;
const OFFERINGS_A_PAGE = 1000;

/** Facts of every current type, without price and zones. */
export async function describeTypes(context: AwsContext, signal?: AbortSignal): Promise<InstanceTypeInfo[]> {
  return wording('ec2:DescribeInstanceTypes', async () => {
    const { DescribeInstanceTypesCommand } = await import('./sdk/ec2.js');
    const client = await context.ec2();
    const found: InstanceTypeInfo[] = [];
    let NextToken: string | undefined;
    do {
      const input = {
        MaxResults: TYPES_A_PAGE,
        Filters: [{ Name: 'current-generation', Values: ['true'] }],
        ...(NextToken ? { NextToken } : {}),
      };
      const page = await client.send(new DescribeInstanceTypesCommand(input), { abortSignal: signal });
      found.push(...(page.InstanceTypes ?? []));
      NextToken = page.NextToken;
    } while (NextToken);
    return found;
  });
}

/** The zones of the region that have a type, by type. Local zones and Outposts are not among them. */
export async function describeZones(context: AwsContext, signal?: AbortSignal): Promise<Map<string, string[]>> {
  return wording('ec2:DescribeInstanceTypeOfferings', async () => {
    const { DescribeInstanceTypeOfferingsCommand } = await import('./sdk/ec2.js');
    const client = await context.ec2();
    const zones = new Map<string, string[]>();
    let NextToken: string | undefined;
    do {
      const input = { LocationType: 'availability-zone' as const, MaxResults: OFFERINGS_A_PAGE, ...(NextToken ? { NextToken } : {}) };
      const page = await client.send(new DescribeInstanceTypeOfferingsCommand(input), { abortSignal: signal });
      for (const { InstanceType = '', Location = '' } of page.InstanceTypeOfferings ?? []) {
        zones.set(InstanceType, [...(zones.get(InstanceType) ?? []), Location]);
      }
      NextToken = page.NextToken;
    } while (NextToken);
    return zones;
  });
}

/** A type as it is stored; undefined for what cannot run our VMs, or has no zone. @param zones undefined when not known */
export function typeRow(
  info: InstanceTypeInfo,
  usdPerHour: number,
  zones: readonly string[] | undefined,
  region: string,
): TypeRow | undefined {
  const architectures = info.ProcessorInfo?.SupportedArchitectures ?? [];
  const arch = architectures.includes('arm64') ? 'a' : architectures.includes('x86_64') ? 'x' : undefined;
  const letters = zones?.filter((zone) => zone.length === region.length + 1 && zone.startsWith(region)).map((zone) => zone.slice(-1));
  const [name, vcpu, memoryMiB] = [info.InstanceType, info.VCpuInfo?.DefaultVCpus, info.MemoryInfo?.SizeInMiB];
  const hasDisk = info.SupportedRootDeviceTypes?.includes('ebs') ?? true;
  if (!name || !vcpu || !memoryMiB || !arch || !hasDisk || letters?.length === 0) return undefined;
  return [name, arch, vcpu, memoryMiB / 1024, usdPerHour, traitsOf(info, name), (letters ?? []).sort().join('')];
}

function traitsOf(info: InstanceTypeInfo, name: string): string {
  const accelerated = info.GpuInfo ?? info.NeuronInfo ?? info.FpgaInfo ?? info.InferenceAcceleratorInfo ?? info.MediaAcceleratorInfo;
  return [
    info.BurstablePerformanceSupported ? 'b' : '',
    name.includes('-flex.') ? 'f' : '',
    accelerated ? 'g' : '',
    info.BareMetal ? 'm' : '',
  ].join('');
}
