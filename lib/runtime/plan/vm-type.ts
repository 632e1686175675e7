import type { Arch } from '../../contract';

/** A VM type with its price in one region. */
export interface VmType {
  readonly name: string;
  readonly arch: Arch;
  readonly vcpu: number;
  readonly memoryGiB: number;
  /** On demand, Linux. */
  readonly usdPerHour: number;
  /** True when the price was made from another region's. */
  readonly estimated: boolean;
  /** False for what is taken only when asked for: burstable, flex, with accelerators, bare metal. */
  readonly steady: boolean;
  /** Zones that have it. @default - all */
  readonly zones?: readonly string[];
}

/** Generation from which types are chosen without being named: older ones cost about the same and are slower. */
const OLDEST_GENERATION = 6;

/** `m7i` of `m7i.large` */
export function familyOf(vmType: string): string {
  return vmType.split('.')[0] ?? '';
}

/** 7 for `m7i.large`; 0 when the name has none. */
export function generationOf(vmType: string): number {
  return Number(/^[a-z]+(\d+)/.exec(vmType)?.[1] ?? 0);
}

/** Chosen by itself: general purpose, compute or memory optimized, of a recent generation, at full speed all the time. */
export function isOrdinary(type: VmType): boolean {
  return type.steady && /^[mcr]\d/.test(type.name) && generationOf(type.name) >= OLDEST_GENERATION;
}

/** `m7i` is that family; letters alone, as `c`, all families of that class. */
export function isOfFamily(vmType: string, asked: string): boolean {
  const family = familyOf(vmType);
  return family === asked || (/^[a-z]+$/.test(asked) && family.replace(/\d.*$/, '') === asked);
}

/**
 * Architecture by name: a `g` after the generation stands for Graviton, and a1 was the first of them.
 * Source: EC2 instance types guide, "Naming conventions".
 */
export function archByName(vmType: string): Arch {
  const attributes = /^[a-z]+\d+([a-z]*)/.exec(familyOf(vmType))?.[1] ?? '';
  return attributes.includes('g') || vmType.startsWith('a1.') ? 'arm64' : 'x86_64';
}
