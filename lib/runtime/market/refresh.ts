import { mapBounded } from '../../contract';
import type { Market, MarketPart, MarketSource, SpotPrice } from '../../contract';

/** What a refresh brought: the market with all that could be had, and why the rest could not. */
export interface Refreshed {
  readonly market: Market;
  readonly changed: boolean;
  readonly problems: readonly { readonly part: MarketPart; readonly error: unknown }[];
}

/** Asks AWS for some parts anew. A part that cannot be had keeps what was known of it. */
export async function refreshMarket(
  source: MarketSource,
  known: Market,
  parts: readonly MarketPart[],
  now: number,
  signal?: AbortSignal,
): Promise<Refreshed> {
  const asks: Readonly<Record<MarketPart, () => Promise<Partial<Market>>>> = {
    list: async () => ({ list: { at: now, ...(await source.list(signal)) } }),
    spot: async () => ({ spot: { at: now, prices: byTypeAndZone(await source.spotPrices(undefined, signal)) } }),
    quotas: async () => ({ quotas: { at: now, values: await source.quotas(signal) } }),
  };
  const answers = await mapBounded(parts, parts.length, (part) =>
    asks[part]().then(
      (got) => ({ got, problem: undefined }),
      (error: unknown) => ({ got: undefined, problem: { part, error } }),
    ),
  );
  signal?.throwIfAborted();
  const got = answers.map((a) => a.got).filter((part) => part !== undefined);
  return {
    market: Object.assign({}, known, ...got) as Market,
    changed: got.length > 0,
    problems: answers.map((a) => a.problem).filter((problem) => problem !== undefined),
  };
}

/** Of several prices of one pool the newest counts. */
export function byTypeAndZone(prices: readonly SpotPrice[]): Record<string, Record<string, number>> {
  const found: Record<string, Record<string, number>> = {};
  for (const { vmType, zone, usdPerHour } of [...prices].sort((a, b) => a.since - b.since)) (found[vmType] ??= {})[zone] = usdPerHour;
  return found;
}
