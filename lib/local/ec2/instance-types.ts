import type { Arch } from '../../contract';

export interface InstanceType {
  readonly name: string;
  readonly arch: Arch;
  readonly vcpu: number;
  readonly memoryMiB: number;
  readonly burstable: boolean;
  /** On demand, Linux, us-east-1. */
  readonly usdPerHour: number;
}

interface Family {
  readonly name: string;
  readonly arch: Arch;
  readonly gibPerVcpu: number;
  /** On demand, Linux, us-east-1, of the size with 2 vCPU; the others cost in proportion to their vCPUs. */
  readonly usdPerHourLarge: number;
  readonly sizes: readonly string[];
}

const upTo = (largest: number, ...skipped: number[]): string[] => [
  'large',
  'xlarge',
  ...[2, 4, 8, 12, 16, 24, 32, 48].filter((n) => n <= largest && !skipped.includes(n)).map((n) => `${n}xlarge`),
];

const INTEL_7 = upTo(48, 32);
const AMD_7 = ['medium', ...upTo(48)];
const GRAVITON = ['medium', ...upTo(16)];
const GRAVITON_8 = ['medium', ...upTo(48, 32)];
const C5 = ['large', 'xlarge', ...[2, 4, 9, 12, 18, 24].map((n) => `${n}xlarge`)];

/** Sources: EC2 instance types page and on-demand pricing page, November 2026. Not complete: what is usual. */
const FAMILIES: readonly Family[] = [
  ...families('x86_64', 4, [
    ['m5', 0.096, upTo(24)],
    ['m5a', 0.086, upTo(24)],
    ['m6i', 0.096, upTo(32)],
    ['m6a', 0.0864, upTo(48)],
    ['m7i', 0.1008, INTEL_7],
    ['m7a', 0.11592, AMD_7],
    ['m7i-flex', 0.09576, upTo(16)],
  ]),
  ...families('x86_64', 2, [
    ['c5', 0.085, C5],
    ['c5a', 0.077, upTo(24)],
    ['c6i', 0.085, upTo(32)],
    ['c6a', 0.0765, upTo(48)],
    ['c7i', 0.08925, INTEL_7],
    ['c7a', 0.10264, AMD_7],
    ['c7i-flex', 0.08479, upTo(16)],
  ]),
  ...families('x86_64', 8, [
    ['r5', 0.126, upTo(24)],
    ['r5a', 0.113, upTo(24)],
    ['r6i', 0.126, upTo(32)],
    ['r6a', 0.1134, upTo(48)],
    ['r7i', 0.1323, INTEL_7],
    ['r7a', 0.15215, AMD_7],
  ]),
  ...families('arm64', 4, [
    ['m6g', 0.077, GRAVITON],
    ['m7g', 0.0816, GRAVITON],
    ['m8g', 0.08976, GRAVITON_8],
  ]),
  ...families('arm64', 2, [
    ['c6g', 0.068, GRAVITON],
    ['c7g', 0.0725, GRAVITON],
    ['c8g', 0.07976, GRAVITON_8],
  ]),
  ...families('arm64', 8, [
    ['r6g', 0.1008, GRAVITON],
    ['r7g', 0.1071, GRAVITON],
    ['r8g', 0.11782, GRAVITON_8],
  ]),
];

function families(
  arch: Arch,
  gibPerVcpu: number,
  rows: readonly [name: string, usdPerHourLarge: number, sizes: readonly string[]][],
): Family[] {
  return rows.map(([name, usdPerHourLarge, sizes]) => ({ name, arch, gibPerVcpu, usdPerHourLarge, sizes }));
}

/** Sizes of all burstable families. */
const BURSTABLE_SIZES: readonly [size: string, vcpu: number, memoryMiB: number][] = [
  ['nano', 2, 512],
  ['micro', 2, 1024],
  ['small', 2, 2048],
  ['medium', 2, 4096],
  ['large', 2, 8192],
  ['xlarge', 4, 16_384],
  ['2xlarge', 8, 32_768],
];

/** Each size costs twice the one below it. */
const BURSTABLE: readonly [family: string, arch: Arch, usdPerHourNano: number][] = [
  ['t3', 'x86_64', 0.0052],
  ['t3a', 'x86_64', 0.0047],
  ['t4g', 'arm64', 0.0042],
];

export const INSTANCE_TYPES: ReadonlyMap<string, InstanceType> = new Map(
  [...FAMILIES.flatMap(typesOf), ...BURSTABLE.flatMap(burstableOf)].map((type) => [type.name, type]),
);

function typesOf({ name, arch, gibPerVcpu, usdPerHourLarge, sizes }: Family): InstanceType[] {
  return sizes.map((size) => {
    const vcpu = vcpuOf(size);
    const usdPerHour = roundUsd((usdPerHourLarge * vcpu) / 2);
    return { name: `${name}.${size}`, arch, vcpu, memoryMiB: vcpu * gibPerVcpu * 1024, burstable: false, usdPerHour };
  });
}

function burstableOf([family, arch, usdPerHourNano]: (typeof BURSTABLE)[number]): InstanceType[] {
  return BURSTABLE_SIZES.map(([size, vcpu, memoryMiB], i) => {
    return { name: `${family}.${size}`, arch, vcpu, memoryMiB, burstable: true, usdPerHour: roundUsd(usdPerHourNano * 2 ** i) };
  });
}

function vcpuOf(size: string): number {
  if (size === 'medium') return 1;
  if (size === 'large') return 2;
  return 4 * Number(size.replace('xlarge', '') || 1);
}

/** To a millionth of a dollar, which is finer than any price of EC2. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}
