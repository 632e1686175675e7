import type { InstanceRecord } from './records';

/** How far answers about instances may be behind. Both must have passed. */
export interface LagOptions {
  /** @default 0 */
  readonly ms?: number;
  /** Calls of EC2 after the one that changed something. @default 0 */
  readonly calls?: number;
}

/** A change that does not show yet. */
interface Hidden {
  /** What shows instead; undefined: nothing. */
  readonly before: InstanceRecord | undefined;
  readonly until: number;
  callsLeft: number;
}

/**
 * EC2's eventual consistency: a change of an instance (launch, state, tags) shows only after some time and some calls.
 * Only answers lag: what is decided (tokens, quotas, what a call changes) goes by what is.
 * Source: EC2 developer guide, "Eventual consistency in the Amazon EC2 API". Off unless set; a restart shows everything.
 */
export class Lag {
  readonly #now: () => number;
  readonly #hidden = new Map<string, Hidden[]>();
  #ms = 0;
  #calls = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** From now on; what is hidden already stays so for its time. */
  set({ ms = 0, calls = 0 }: LagOptions): void {
    this.#ms = ms;
    this.#calls = calls;
  }

  /** Everything shows at once, also what was hidden. */
  clear(): void {
    this.set({});
    this.#hidden.clear();
  }

  /** An instance is about to change. @param before as it is; undefined when it comes into being */
  changes(id: string, before: InstanceRecord | undefined): void {
    if (this.#ms === 0 && this.#calls === 0) return;
    const hidden: Hidden = { before, until: this.#now() + this.#ms, callsLeft: this.#calls };
    this.#hidden.set(id, [...(this.#hidden.get(id) ?? []), hidden]);
  }

  /** A call begins. */
  called(): void {
    for (const [id, changes] of this.#hidden) {
      for (const change of changes) change.callsLeft--;
      const left = changes.filter((c) => c.callsLeft >= 0 || c.until > this.#now());
      if (left.length > 0) this.#hidden.set(id, left);
      else this.#hidden.delete(id);
    }
  }

  /** What answers tell of an instance; undefined when it does not show yet. */
  shown(instance: InstanceRecord): InstanceRecord | undefined {
    const [oldest] = this.#hidden.get(instance.id) ?? [];
    return oldest ? oldest.before : instance;
  }
}
