import type { Purchase } from '../quotas';

/** Where there is not enough. A missing part means any. */
export interface NoCapacity {
  readonly vmType?: string;
  readonly zone?: string;
  readonly purchase?: Purchase;
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

/** What VMs are taken from. */
export interface Pool {
  readonly vmType: string;
  readonly zone: string;
  readonly purchase: Purchase;
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

  available(pool: Pool): number {
    return Math.min(Infinity, ...this.#of(pool).map((s) => s.left));
  }

  take(pool: Pool, count: number): void {
    for (const shortage of this.#of(pool)) shortage.left -= count;
  }

  /** A launch was refused in these pools. */
  refuse(pools: readonly Pool[]): void {
    for (const shortage of new Set(pools.flatMap((pool) => this.#of(pool)))) shortage.refusals--;
    this.#shortages = this.#shortages.filter((s) => s.refusals > 0);
  }

  #of(pool: Pool): Shortage[] {
    const fits = (name: keyof Pool, rule: NoCapacity): boolean => (rule[name] ?? pool[name]) === pool[name];
    return this.#shortages.filter(({ rule }) => fits('vmType', rule) && fits('zone', rule) && fits('purchase', rule));
  }
}
