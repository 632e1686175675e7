import { createHash } from 'node:crypto';
import { INSTANCE_TYPES } from './ec2/instance-types';
import type { InstanceType } from './ec2/instance-types';
import { onDemandUsdPerHour } from './pricing-regions';
import type { PricedRegion } from './pricing-regions';

/** What is for sale, with its on-demand price. */
export interface Product {
  readonly serviceCode: string;
  readonly family: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly usd: number;
  readonly description: string;
}

/** Day the list was published. */
const PUBLISHED = '2026-11-01T00:00:00Z';

/** Codes of the on-demand offer and its rate, the same in the whole price list. */
const ON_DEMAND = 'JRTCKXETXF';
const RATE = '6YS6EN2CT7';

/** Products of EC2 in one region: VMs in three kinds (Linux, Windows, Linux in a reservation: free of charge here), disks. */
export function ec2Products(region: PricedRegion): Product[] {
  return [...[...INSTANCE_TYPES.values()].flatMap((type) => vmProducts(type, region)), ...diskProducts(region)];
}

function vmProducts(type: InstanceType, region: PricedRegion): Product[] {
  const usd = onDemandUsdPerHour(type, region.code);
  // Windows adds its licence by the vCPU. Source: EC2 on-demand pricing page.
  return [
    vmProduct(type, region, { system: 'Linux', operation: 'RunInstances', status: 'Used', usd }),
    vmProduct(type, region, { system: 'Windows', operation: 'RunInstances:0002', status: 'Used', usd: usd + 0.046 * type.vcpu }),
    vmProduct(type, region, { system: 'Linux', operation: 'RunInstances', status: 'AllocatedCapacityReservation', usd: 0 }),
  ];
}

interface VmKind {
  readonly system: 'Linux' | 'Windows';
  readonly operation: string;
  readonly status: 'Used' | 'AllocatedCapacityReservation';
  readonly usd: number;
}

function vmProduct(type: InstanceType, region: PricedRegion, { system, operation, status, usd }: VmKind): Product {
  const usage = status === 'Used' ? 'BoxUsage' : 'Reservation';
  return {
    serviceCode: 'AmazonEC2',
    family: 'Compute Instance',
    unit: 'Hrs',
    usd,
    description: `$${usd} per On Demand ${system} ${type.name} Instance Hour`,
    attributes: {
      ...placeOf(region),
      servicecode: 'AmazonEC2',
      servicename: 'Amazon Elastic Compute Cloud',
      instanceType: type.name,
      instanceFamily: familyWords(type),
      currentGeneration: 'Yes',
      vcpu: String(type.vcpu),
      memory: `${type.memoryMiB / 1024} GiB`,
      storage: 'EBS only',
      physicalProcessor: processorOf(type),
      processorArchitecture: '64-bit',
      tenancy: 'Shared',
      operatingSystem: system,
      licenseModel: 'No License required',
      preInstalledSw: 'NA',
      capacitystatus: status,
      marketoption: 'OnDemand',
      operation,
      usagetype: `${region.prefix}${usage}:${type.name}`,
    },
  };
}

function placeOf({ code, location }: PricedRegion): Record<string, string> {
  return { location, locationType: 'AWS Region', regionCode: code };
}

function familyWords({ name, burstable }: InstanceType): string {
  if (burstable || name.startsWith('m')) return 'General purpose';
  return name.startsWith('c') ? 'Compute optimized' : 'Memory optimized';
}

function processorOf({ name, arch }: InstanceType): string {
  if (arch === 'arm64') return 'AWS Graviton Processor';
  return /^[a-z]\d+a\b|^t3a/.test(name) ? 'AMD EPYC' : 'Intel Xeon';
}

/** gp3: size, IOPS above 3000, throughput above 125 MiB/s. Source: EBS pricing page, November 2026, us-east-1. */
function diskProducts(region: PricedRegion): Product[] {
  const gp3 = (family: string, group: string, usage: string, unit: string, usd: number, words: string): Product => ({
    serviceCode: 'AmazonEC2',
    family,
    unit,
    usd: round(usd * region.factor),
    description: `$${round(usd * region.factor)} per ${words}`,
    attributes: {
      ...placeOf(region),
      servicecode: 'AmazonEC2',
      servicename: 'Amazon Elastic Compute Cloud',
      volumeType: 'General Purpose',
      volumeApiName: 'gp3',
      ...(group === '' ? { storageMedia: 'SSD-backed' } : { group }),
      usagetype: `${region.prefix}EBS:${usage}.gp3`,
      operation: '',
    },
  });
  return [
    gp3('Storage', '', 'VolumeUsage', 'GB-Mo', 0.08, 'GB-month of General Purpose (gp3) provisioned storage'),
    gp3('System Operation', 'EBS IOPS', 'VolumeP-IOPS', 'IOPS-Mo', 0.005, 'IOPS-month provisioned (gp3)'),
    gp3('Provisioned Throughput', 'EBS Throughput', 'VolumeP-Throughput', 'GiBps-mo', 40.96, 'provisioned GiBps-month (gp3)'),
  ];
}

/** Public IPv4 addresses, the same everywhere. Source: VPC pricing page: $0.005 an hour, used or idle. */
export function vpcProducts(region: PricedRegion): Product[] {
  return (['InUse', 'Idle'] as const).map((state) => ({
    serviceCode: 'AmazonVPC',
    family: 'VpcPublicIPv4Address',
    unit: 'Hrs',
    usd: 0.005,
    description: `$0.005 per ${state === 'InUse' ? 'In-use' : 'Idle'} public IPv4 address per hour`,
    attributes: {
      ...placeOf(region),
      servicecode: 'AmazonVPC',
      servicename: 'Amazon Virtual Private Cloud',
      group: 'VPCPublicIPv4Address',
      groupDescription: `Hourly charge for ${state === 'InUse' ? 'In-use' : 'Idle'} Public IPv4 Addresses`,
      usagetype: `${region.prefix}PublicIPv4:${state}Address`,
      operation: '',
    },
  }));
}

/** The JSON text of one member of `PriceList`. */
export function priceListEntry(product: Product): string {
  const { serviceCode, family, attributes, unit, usd, description } = product;
  const sku = createHash('sha256').update(JSON.stringify(attributes)).digest('hex').slice(0, 16).toUpperCase();
  const [offer, rate] = [`${sku}.${ON_DEMAND}`, `${sku}.${ON_DEMAND}.${RATE}`];
  const dimension = {
    unit,
    endRange: 'Inf',
    description,
    appliesTo: [],
    rateCode: rate,
    beginRange: '0',
    pricePerUnit: { USD: usd.toFixed(10) },
  };
  const onDemand = { priceDimensions: { [rate]: dimension }, sku, effectiveDate: PUBLISHED, offerTermCode: ON_DEMAND, termAttributes: {} };
  return JSON.stringify({
    product: { productFamily: family, attributes, sku },
    serviceCode,
    terms: { OnDemand: { [offer]: onDemand } },
    version: PUBLISHED.replace(/\D/g, ''),
    publicationDate: PUBLISHED,
  });
}

function round(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}
