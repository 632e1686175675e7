import type { Arch } from '../../contract';
import type { VmType } from './vm-type';

/** Day the table was made. Prices move a few times a decade; the table counts where AWS's own list could not be had. */
export const CATALOG_DATE = '2026-11-01';

/** A type with its price in us-east-1. */
export interface CatalogType {
  readonly name: string;
  readonly arch: Arch;
  readonly vcpu: number;
  readonly memoryGiB: number;
  /** On demand, Linux, us-east-1. */
  readonly usdPerHour: number;
  /** Runs at a fraction of its CPU once its credits are spent: taken only when asked for by name. */
  readonly burstable: boolean;
}

/*
 * On-demand list prices, Linux, us-east-1, of each family's `large` size (2 vCPU); the other sizes of these
 * families cost in proportion to their vCPUs. Source: EC2 on-demand pricing page, as of CATALOG_DATE.
 */
const FAMILIES: readonly { family: string; arch: Arch; gibPerVcpu: number; usdPerHourLarge: number; largestX: number }[] = [
  { family: 'm7i', arch: 'x86_64', gibPerVcpu: 4, usdPerHourLarge: 0.1008, largestX: 48 },
  { family: 'm7a', arch: 'x86_64', gibPerVcpu: 4, usdPerHourLarge: 0.11592, largestX: 48 },
  { family: 'm6i', arch: 'x86_64', gibPerVcpu: 4, usdPerHourLarge: 0.096, largestX: 32 },
  { family: 'm6a', arch: 'x86_64', gibPerVcpu: 4, usdPerHourLarge: 0.0864, largestX: 48 },
  { family: 'c7i', arch: 'x86_64', gibPerVcpu: 2, usdPerHourLarge: 0.08925, largestX: 48 },
  { family: 'c6i', arch: 'x86_64', gibPerVcpu: 2, usdPerHourLarge: 0.085, largestX: 32 },
  { family: 'c6a', arch: 'x86_64', gibPerVcpu: 2, usdPerHourLarge: 0.0765, largestX: 48 },
  { family: 'r7i', arch: 'x86_64', gibPerVcpu: 8, usdPerHourLarge: 0.1323, largestX: 48 },
  { family: 'r6i', arch: 'x86_64', gibPerVcpu: 8, usdPerHourLarge: 0.126, largestX: 32 },
  { family: 'r6a', arch: 'x86_64', gibPerVcpu: 8, usdPerHourLarge: 0.1134, largestX: 48 },
  { family: 'm7g', arch: 'arm64', gibPerVcpu: 4, usdPerHourLarge: 0.0816, largestX: 16 },
  { family: 'm6g', arch: 'arm64', gibPerVcpu: 4, usdPerHourLarge: 0.077, largestX: 16 },
  { family: 'c7g', arch: 'arm64', gibPerVcpu: 2, usdPerHourLarge: 0.0725, largestX: 16 },
  { family: 'c6g', arch: 'arm64', gibPerVcpu: 2, usdPerHourLarge: 0.068, largestX: 16 },
  { family: 'r7g', arch: 'arm64', gibPerVcpu: 8, usdPerHourLarge: 0.1071, largestX: 16 },
  { family: 'r6g', arch: 'arm64', gibPerVcpu: 8, usdPerHourLarge: 0.1008, largestX: 16 },
];

/** Multiples of `xlarge` (4 vCPU) that families come in. Sizes a family skips are left out by `largestX` and SKIPPED. */
const SIZES_X = [1, 2, 4, 8, 12, 16, 24, 32, 48];

const SKIPPED: Readonly<Record<string, readonly number[]>> = { m7i: [32], c7i: [32], r7i: [32] };

/** Burstable types, by their own prices. */
const BURSTABLE: readonly CatalogType[] = [
  ['t3.small', 'x86_64', 2, 2, 0.0208],
  ['t3.medium', 'x86_64', 2, 4, 0.0416],
  ['t3.large', 'x86_64', 2, 8, 0.0832],
  ['t3.xlarge', 'x86_64', 4, 16, 0.1664],
  ['t4g.small', 'arm64', 2, 2, 0.0168],
  ['t4g.medium', 'arm64', 2, 4, 0.0336],
  ['t4g.large', 'arm64', 2, 8, 0.0672],
  ['t4g.xlarge', 'arm64', 4, 16, 0.1344],
].map(([name, arch, vcpu, memoryGiB, usdPerHour]) => ({ name, arch, vcpu, memoryGiB, usdPerHour, burstable: true }) as CatalogType);

/** Every VM type whose price is known. */
export const CATALOG: readonly CatalogType[] = [...FAMILIES.flatMap(sizesOf), ...BURSTABLE];

function sizesOf({ family, arch, gibPerVcpu, usdPerHourLarge, largestX }: (typeof FAMILIES)[number]): CatalogType[] {
  const sizes = SIZES_X.filter((x) => x <= largestX && !SKIPPED[family]?.includes(x));
  const all: [string, number][] = [['large', 2], ...sizes.map((x): [string, number] => [x === 1 ? 'xlarge' : `${x}xlarge`, 4 * x])];
  return all.map(([size, vcpu]) => ({
    name: `${family}.${size}`,
    arch,
    vcpu,
    memoryGiB: vcpu * gibPerVcpu,
    usdPerHour: round((usdPerHourLarge * vcpu) / 2),
    burstable: false,
  }));
}

function round(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}

/*
 * Regions relative to us-east-1, from the on-demand price of m6i.large in each (same source and day). Families
 * differ by a few per cent, so a price made this way is marked as estimated; the first three are exact.
 */
const REGION_FACTORS: Readonly<Record<string, number>> = {
  'us-east-1': 1,
  'us-east-2': 1,
  'us-west-2': 1,
  'us-west-1': 1.167,
  'ca-central-1': 1.115,
  'eu-west-1': 1.115,
  'eu-west-2': 1.156,
  'eu-west-3': 1.167,
  'eu-central-1': 1.198,
  'eu-north-1': 1.063,
  'eu-south-1': 1.167,
  'ap-south-1': 1.052,
  'ap-southeast-1': 1.25,
  'ap-southeast-2': 1.25,
  'ap-northeast-1': 1.292,
  'ap-northeast-2': 1.229,
  'sa-east-1': 1.594,
};

/** Regions whose prices the table knows. */
export const PRICED_REGIONS: readonly string[] = Object.keys(REGION_FACTORS);

/** Price of a type in a region, dollars an hour. */
export function priceOf(type: CatalogType, region: string): { usdPerHour: number; estimated: boolean } {
  const factor = REGION_FACTORS[region];
  return { usdPerHour: round(type.usdPerHour * (factor ?? 1)), estimated: factor !== 1 };
}

/** The table's types with their prices in a region. */
export function builtInTypes(region: string): VmType[] {
  return CATALOG.map((type) => {
    const { name, arch, vcpu, memoryGiB, burstable } = type;
    return { name, arch, vcpu, memoryGiB, ...priceOf(type, region), steady: !burstable };
  });
}
