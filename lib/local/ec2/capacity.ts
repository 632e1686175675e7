/** Where there is not enough. A missing part means any. */
export interface NoCapacity {
  readonly vmType?: string;
  readonly zone?: string;
  /** Launches that are refused; then there is enough again. @default - until cleared */
  readonly count?: number;
  /** VMs that can still be had before launches are refused. @default 0 */
  readonly left?: number;
}

interface Shortage {
  readonly rule: NoCapacity;
  refusals: number;
  left: number;
}

/** How many VMs of a type a zone still has: any number, but for the shortages that were armed. */
export class Capacity {
  #shortages: Shortage[] = [];

  shorten(rules: readonly NoCapacity[]): void {
    this.#shortages.push(...rules.map((rule) => ({ rule, refusals: rule.count ?? Infinity, left: rule.left ?? 0 })));
  }

  clear(): void {
    this.#shortages = [];
  }

  get shortages(): readonly NoCapacity[] {
    return this.#shortages.map((s) => s.rule);
  }

  available(vmType: string, zone: string): number {
    return Math.min(Infinity, ...this.#of(vmType, zone).map((s) => s.left));
  }

  take(vmType: string, zone: string, count: number): void {
    for (const shortage of this.#of(vmType, zone)) shortage.left -= count;
  }

  /** A launch was refused in these zones. */
  refuse(vmType: string, zones: readonly string[]): void {
    for (const shortage of new Set(zones.flatMap((zone) => this.#of(vmType, zone)))) shortage.refusals--;
    this.#shortages = this.#shortages.filter((s) => s.refusals > 0);
  }

  #of(vmType: string, zone: string): Shortage[] {
    return this.#shortages.filter(({ rule }) => (rule.vmType ?? vmType) === vmType && (rule.zone ?? zone) === zone);
  }
}
