import type { Arch } from '../../contract';

export interface InstanceType {
  readonly name: string;
  readonly arch: Arch;
  readonly vcpu: number;
  readonly memoryMiB: number;
  readonly burstable: boolean;
}

/** GiB per vCPU of each family. Source: EC2 instance types page, November 2026. Not complete: what is usual. */
const FAMILIES: readonly [gibPerVcpu: number, arch: Arch, families: readonly string[]][] = [
  [4, 'x86_64', ['m5', 'm5a', 'm6i', 'm6a', 'm7i', 'm7a', 'm7i-flex']],
  [2, 'x86_64', ['c5', 'c5a', 'c6i', 'c6a', 'c7i', 'c7a', 'c7i-flex']],
  [8, 'x86_64', ['r5', 'r5a', 'r6i', 'r6a', 'r7i', 'r7a']],
  [4, 'arm64', ['m6g', 'm7g', 'm8g']],
  [2, 'arm64', ['c6g', 'c7g', 'c8g']],
  [8, 'arm64', ['r6g', 'r7g', 'r8g']],
];

const SIZES: readonly [size: string, vcpu: number][] = [
  ['large', 2],
  ['xlarge', 4],
  ...[2, 4, 8, 12, 16, 24, 32, 48].map((n): [string, number] => [`${n}xlarge`, 4 * n]),
];

const BURSTABLE_SIZES: readonly [size: string, vcpu: number, memoryMiB: number][] = [
  ['nano', 2, 512],
  ['micro', 2, 1024],
  ['small', 2, 2048],
  ['medium', 2, 4096],
  ['large', 2, 8192],
  ['xlarge', 4, 16_384],
  ['2xlarge', 8, 32_768],
];

export const INSTANCE_TYPES: ReadonlyMap<string, InstanceType> = new Map(
  [
    ...FAMILIES.flatMap(([gibPerVcpu, arch, families]) =>
      families.flatMap((family) =>
        SIZES.map(([size, vcpu]) => ({ name: `${family}.${size}`, arch, vcpu, memoryMiB: vcpu * gibPerVcpu * 1024, burstable: false })),
      ),
    ),
    ...[['t3', 'x86_64'] as const, ['t3a', 'x86_64'] as const, ['t4g', 'arm64'] as const].flatMap(([family, arch]) =>
      BURSTABLE_SIZES.map(([size, vcpu, memoryMiB]) => ({ name: `${family}.${size}`, arch, vcpu, memoryMiB, burstable: true })),
    ),
  ].map((type) => [type.name, type]),
);
