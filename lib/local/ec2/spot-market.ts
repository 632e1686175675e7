import { createHash } from 'node:crypto';
import { onDemandUsdPerHour } from '../pricing-regions';
import { INSTANCE_TYPES } from './instance-types';
import type { InstanceType } from './instance-types';

/** A price that was set. A missing part means any. */
export interface SpotPriceRule {
  readonly vmType?: string;
  readonly zone?: string;
  readonly usdPerHour: number;
}

/** A price from its time on, until the next one of the same type and zone. */
export interface SpotPrice {
  readonly vmType: string;
  readonly zone: string;
  readonly usdPerHour: number;
  /** Milliseconds since 1970. */
  readonly since: number;
}

interface SetPrice {
  readonly rule: SpotPriceRule;
  readonly since: number;
}

const HOUR_MS = 3_600_000;

/**
 * Spot prices that move, and are the same for everybody who looks: made from type, zone and time alone. A price is 28 to
 * 52 % of the on-demand one, moves by up to a tenth of itself, and holds for 4 to 12 hours. Prices that were set win from then on.
 */
export class SpotMarket {
  readonly #region: string;
  readonly #now: () => number;
  #set: SetPrice[] = [];

  constructor(region: string, now: () => number) {
    this.#region = region;
    this.#now = now;
  }

  set(rules: readonly SpotPriceRule[]): void {
    const since = this.#now();
    this.#set.push(...rules.map((rule) => ({ rule, since })));
  }

  clear(): void {
    this.#set = [];
  }

  /** What a spot VM may cost at most unless its request says so. */
  onDemand(vmType: string): number {
    const type = INSTANCE_TYPES.get(vmType);
    return type ? onDemandUsdPerHour(type, this.#region) : 0;
  }

  /** The price in effect at a time; now unless told otherwise. */
  priceAt(vmType: string, zone: string, at = this.#now()): SpotPrice {
    return this.#changes(vmType, zone, at, at)[0]!;
  }

  /** Prices in effect between two times, newest first; the oldest began before `fromMs`. */
  history(vmType: string, zone: string, fromMs: number, toMs: number): SpotPrice[] {
    return this.#changes(vmType, zone, fromMs, Math.min(toMs, this.#now()));
  }

  #changes(vmType: string, zone: string, fromMs: number, toMs: number): SpotPrice[] {
    const type = INSTANCE_TYPES.get(vmType);
    if (!type) return [];
    const set = this.#setFor(vmType, zone);
    const first = set[0]?.since ?? Infinity;
    const moved = moves(type, this.#region, zone, Math.min(fromMs, first), Math.min(toMs, first - 1));
    const all = [...moved, ...set.filter((s) => s.since <= toMs)].sort((a, b) => b.since - a.since);
    const oldest = all.findIndex((p) => p.since <= fromMs);
    return oldest < 0 ? all : all.slice(0, oldest + 1);
  }

  #setFor(vmType: string, zone: string): SpotPrice[] {
    return this.#set
      .filter(({ rule }) => (rule.vmType ?? vmType) === vmType && (rule.zone ?? zone) === zone)
      .map(({ rule, since }) => ({ vmType, zone, usdPerHour: rule.usdPerHour, since }));
  }
}

/** Newest first, down to the one in effect at `fromMs`. */
function moves(type: InstanceType, region: string, zone: string, fromMs: number, toMs: number): SpotPrice[] {
  const series = `${type.name} ${zone}`;
  const periodMs = (4 + Math.floor(share(`${series} period`) * 9)) * HOUR_MS;
  const phaseMs = Math.floor((share(`${series} phase`) * periodMs) / 1000) * 1000;
  const onDemand = onDemandUsdPerHour(type, region);
  const level = 0.28 + 0.24 * share(`${series} level`);
  const [oldest, newest] = [fromMs, toMs].map((ms) => Math.floor((ms - phaseMs) / periodMs)) as [number, number];
  return Array.from({ length: Math.max(0, newest - oldest + 1) }, (_, i) => {
    const n = newest - i;
    const usd = onDemand * level * (0.95 + 0.1 * share(`${series} ${n}`));
    return { vmType: type.name, zone, usdPerHour: Math.max(0.0001, Math.round(usd * 1e4) / 1e4), since: n * periodMs + phaseMs };
  });
}

/** From 0 to 1, always the same for a text. */
function share(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}
