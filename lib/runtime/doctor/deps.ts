import type { AccountLook, Compute, Market, Scaffold, Store } from '../../contract';

/** What the doctor works with once it knows where the scaffolding is. */
export interface Premises {
  readonly store: Store;
  readonly compute: Pick<Compute, 'describe' | 'consoleOutput'>;
  /** The stored price list, if there is one. */
  market(signal?: AbortSignal): Promise<Market | undefined>;
}

/** All that an examination needs. */
export interface DoctorDeps {
  readonly look: AccountLook;
  /** Name of the scaffolding. */
  readonly scaffold: string;
  readonly local: boolean;
  /** Version of this package. */
  readonly version: string;
  /** Milliseconds since 1970, by this machine. */
  now(): number;
  premises(scaffold: Scaffold): Premises;
}
