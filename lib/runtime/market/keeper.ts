import { findRawcloudError, staleParts } from '../../contract';
import type { Clock, Market, MarketPart, MarketSource, Notice, SpotPolicy, Store } from '../../contract';
import { viewMarket } from '../plan/market';
import type { MarketView } from '../plan/market';
import { readMarket, writeMarket } from './read';
import type { StoredMarket } from './read';
import { refreshMarket } from './refresh';

export interface KeeperDeps {
  readonly store: Store;
  readonly source: MarketSource;
  readonly clock: Clock;
  readonly region: string;
}

/** A run of less than this asks AWS nothing about prices: there is work to be done first. */
const REFRESH_AFTER_MS = 5_000;
/** How long a plan that only wants to be looked at waits for fresh prices. */
const PLAN_WAITS_MS = 15_000;
/** How long the launch of a spot VM waits for them: by then the on-demand price stands for its limit. */
const SPOT_WAITS_MS = 3_000;

/**
 * The region's types, prices and quotas. Life cycle: one GET for a run (in parallel with what else it asks); after the
 * launch, what is out of date is asked anew in the background and written back for everybody; `close` breaks that off.
 */
export class MarketKeeper {
  readonly #deps: KeeperDeps;
  readonly #closing = new AbortController();
  #stored: StoredMarket | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  /** As the bucket has it; for spot VMs with prices that are not older than an hour, if AWS tells them in time. */
  async view(spotPolicy: SpotPolicy, signal?: AbortSignal): Promise<MarketView> {
    const { store, region } = this.#deps;
    this.#stored = await readMarket(store, region, signal);
    if (spotPolicy !== 'on-demand' && this.#stale().includes('spot')) await this.#refresh(['spot'], SPOT_WAITS_MS, signal);
    return viewMarket(region, this.#stored?.market);
  }

  /** As fresh as AWS lets it be, and what could not be had. */
  async freshView(signal?: AbortSignal): Promise<{ view: MarketView; notices: Notice[] }> {
    const { store, region } = this.#deps;
    this.#stored = await readMarket(store, region, signal);
    const stale = this.#stale();
    const problems = stale.length > 0 ? await this.#refresh(stale, PLAN_WAITS_MS, signal) : [];
    return { view: viewMarket(region, this.#stored?.market), notices: problems.map(problemNotice) };
  }

  /** Brings up to date what is not, while the job runs. What fails here fails nothing: the next run tries again. */
  refreshLater(): void {
    if (this.#refreshing || this.#stale().length === 0) return;
    this.#refreshing = this.#refreshInBackground().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#refreshing;
  }

  async #refreshInBackground(): Promise<void> {
    const { signal } = this.#closing;
    await this.#deps.clock.sleep(REFRESH_AFTER_MS, signal);
    await this.#ask(this.#stale(), signal);
  }

  #stale(): MarketPart[] {
    return staleParts(this.#stored?.market, this.#deps.clock.now());
  }

  async #refresh(parts: readonly MarketPart[], waitMs: number, signal?: AbortSignal): Promise<Problem[]> {
    const limit = AbortSignal.timeout(waitMs);
    const signals = [limit, this.#closing.signal, ...(signal ? [signal] : [])];
    try {
      return await this.#ask(parts, AbortSignal.any(signals));
    } catch (error) {
      signal?.throwIfAborted();
      return parts.map((part) => ({ part, error }));
    }
  }

  async #ask(parts: readonly MarketPart[], signal: AbortSignal): Promise<Problem[]> {
    const { store, source, clock, region } = this.#deps;
    const known: Market = this.#stored?.market ?? { v: 1, region };
    const { market, changed, problems } = await refreshMarket(source, known, parts, clock.now(), signal);
    if (changed) {
      const over = this.#stored;
      this.#stored = { market, etag: over?.etag ?? '' };
      const etag = await writeMarket(store, market, over);
      if (etag !== undefined) this.#stored = { market, etag };
    }
    return [...problems];
  }
}

interface Problem {
  readonly part: MarketPart;
  readonly error: unknown;
}

const CONSEQUENCES: Readonly<Record<MarketPart, string>> = {
  list: 'types and prices are those known before',
  spot: 'spot prices are not up to date',
  quotas: 'quotas are not checked before the launch',
};

function problemNotice({ part, error }: Problem): Notice {
  const why = findRawcloudError(error)?.message ?? (error instanceof Error ? error.message : String(error));
  return { level: 'info', text: `${CONSEQUENCES[part]}: ${why}` };
}
