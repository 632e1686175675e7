import * as v from 'valibot';
import type { Offer } from './offers';
import type { QuotaState } from './quotas';

const Ms = v.number();

/**
 * One VM type as it is stored: name, architecture (`x` x86_64, `a` arm64), vCPUs, GiB of memory, dollars an hour on demand,
 * traits (`b` burstable, `f` flex, `g` accelerators, `m` bare metal), and the last letters of the zones
 * that have it ('' when that is not known: then all may).
 */
export type TypeRow = readonly [
  name: string,
  arch: 'x' | 'a',
  vcpu: number,
  memoryGiB: number,
  usdPerHour: number,
  traits: string,
  zones: string,
];

type PriceTable = Readonly<Record<string, Readonly<Record<string, number>>>>;

// Checked by hand: a schema for each of a few thousand values would take longer than all else a run does with them.
const TypeRowsSchema = v.custom<readonly TypeRow[]>((input) => Array.isArray(input) && input.every(isTypeRow), 'not rows of VM types');
const PriceTableSchema = v.custom<PriceTable>((input) => isRecordOf(input, (zones) => isRecordOf(zones, isPrice)), 'not a table of prices');

function isTypeRow(row: unknown): boolean {
  if (!Array.isArray(row)) return false;
  const [name, arch, vcpu, memoryGiB, usdPerHour, traits, zones] = row as unknown[];
  const texts = [name, traits, zones].every((text) => typeof text === 'string');
  return texts && (arch === 'x' || arch === 'a') && [vcpu, memoryGiB, usdPerHour].every(isPrice);
}

function isRecordOf(input: unknown, check: (value: unknown) => boolean): boolean {
  return typeof input === 'object' && input !== null && Object.values(input).every(check);
}

function isPrice(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

/**
 * v1/market/<region>, gzipped JSON: what AWS sells in a region and at what price, as some client last asked. Anybody who
 * runs jobs may refresh it; every part has its own age, and may be missing because AWS refused to tell.
 */
export const MarketSchema = v.object({
  v: v.literal(1),
  region: v.string(),
  /** Types and on-demand prices, Linux, and the disk's price. */
  list: v.optional(v.object({ at: Ms, types: TypeRowsSchema, gp3UsdPerGiBMonth: v.optional(v.number()) })),
  /** Spot prices in dollars an hour by type and zone. */
  spot: v.optional(v.object({ at: Ms, prices: PriceTableSchema })),
  /** Applied vCPU quotas by code. */
  quotas: v.optional(v.object({ at: Ms, values: v.record(v.string(), v.number()) })),
});
export type Market = v.InferOutput<typeof MarketSchema>;

/** A part older than this is asked for anew. Prices on demand change a few times a decade, spot prices a few times a day. */
export const MARKET_AGES_MS = { list: 24 * 3_600_000, spot: 3_600_000, quotas: 24 * 3_600_000 } as const;

export type MarketPart = keyof typeof MARKET_AGES_MS;

/** The parts that are missing, or older than they should be at `now`. */
export function staleParts(market: Market | undefined, now: number): MarketPart[] {
  const parts = Object.keys(MARKET_AGES_MS) as MarketPart[];
  return parts.filter((part) => now - (market?.[part]?.at ?? -Infinity) > MARKET_AGES_MS[part]);
}

/** A spot price from `since` on (milliseconds since 1970), until the next one of its type and zone. */
export interface SpotPrice {
  readonly vmType: string;
  readonly zone: string;
  readonly usdPerHour: number;
  readonly since: number;
}

/** AWS's own word about what it sells. Every call may be refused, and nothing depends on its answer but what is shown and chosen. */
export interface MarketSource {
  /** Types for sale now, with zones and on-demand prices. Takes about ten seconds. */
  list(signal?: AbortSignal): Promise<Omit<NonNullable<Market['list']>, 'at'>>;
  /** Prices in effect now. @param vmTypes 100 at most; all when not given */
  spotPrices(vmTypes?: readonly string[], signal?: AbortSignal): Promise<SpotPrice[]>;
  /** Prices in effect between two times, oldest first. */
  spotHistory(vmType: string, zone: string, fromMs: number, toMs: number, signal?: AbortSignal): Promise<SpotPrice[]>;
  /** Applied values of the account's vCPU quotas by code. */
  quotas(signal?: AbortSignal): Promise<Record<string, number>>;
  /** Value and use of the quota that counts an offer, both as of now; undefined when no quota does. */
  quotaState(offer: Pick<Offer, 'vmType' | 'purchase'>, signal?: AbortSignal): Promise<QuotaState | undefined>;
}
