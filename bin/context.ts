import type { CliIo } from './io';
import type { Sink } from './sink';

/** What every verb gets. */
export interface Context {
  readonly io: CliIo;
  readonly out: Sink;
  readonly err: Sink;
}
