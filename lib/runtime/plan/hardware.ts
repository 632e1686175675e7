import type { Arch, Bounds, SpotPolicy } from '../../contract';

/** Hardware as asked for, defaults filled in. */
export interface Hardware {
  readonly vmTypes?: readonly string[];
  /** Families or their first letters, best first. */
  readonly families?: readonly string[];
  readonly cpu: Bounds;
  readonly memoryGiB: Bounds;
  readonly arch: Arch;
  readonly region: string;
  /** Zones VMs may be in, in the order to try. */
  readonly zones: readonly string[];
  readonly spotPolicy: SpotPolicy;
  /** Zones in which VMs have no public IPv4 address. @default - none */
  readonly privateZones?: readonly string[];
}

export function within(value: number, bounds: Bounds): boolean {
  return value >= (bounds.min ?? 0) && value <= (bounds.max ?? Infinity);
}

/** `at least 2 vCPU`, `2 to 4 vCPU`, `2 vCPU` */
export function boundsWords(bounds: Bounds, unit: string): string {
  if (bounds.max === undefined) return `at least ${bounds.min ?? 0} ${unit}`;
  return bounds.min === bounds.max ? `${bounds.max} ${unit}` : `${bounds.min ?? 0} to ${bounds.max} ${unit}`;
}
