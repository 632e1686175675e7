import * as v from 'valibot';

const Ms = v.number();

/**
 * One VM type as it is stored: name, architecture (`x` x86_64, `a` arm64), vCPUs, GiB of memory, dollars an hour on demand,
 * traits (`b` burstable, `f` flex, `g` accelerators, `m` bare metal), and the last letters of the zones that have it.
 */
export const TypeRowSchema = v.tuple([v.string(), v.picklist(['x', 'a']), v.number(), v.number(), v.number(), v.string(), v.string()]);
export type TypeRow = v.InferOutput<typeof TypeRowSchema>;

/**
 * v1/market/<region>, gzipped JSON: what AWS sells in a region and at what price, as some client last asked. Anybody who
 * runs jobs may refresh it; every part has its own age, and may be missing because AWS refused to tell.
 */
export const MarketSchema = v.object({
  v: v.literal(1),
  region: v.string(),
  /** Types and on-demand prices, Linux, and the disk's price. */
  list: v.optional(
    v.object({ at: Ms, types: v.array(TypeRowSchema), gp3UsdPerGiBMonth: v.optional(v.number()), ipv4UsdPerHour: v.optional(v.number()) }),
  ),
  /** Spot prices in dollars an hour by type and zone. */
  spot: v.optional(v.object({ at: Ms, prices: v.record(v.string(), v.record(v.string(), v.number())) })),
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
