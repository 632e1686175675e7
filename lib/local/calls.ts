import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CallRecord } from './service';

/** Calls kept in memory; older ones are only in the file. */
const KEPT = 10_000;
/** Lines gathered before they are written. */
const BUFFERED_LINES = 200;
const FLUSH_AFTER_MS = 500;

/** The record of every call: the last {@link KEPT} in memory, all of them in `calls.jsonl` when a file is given. */
export class Calls {
  #kept: CallRecord[] = [];
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #fd: number | undefined;

  constructor(options: { file?: string } = {}) {
    if (options.file === undefined) return;
    mkdirSync(dirname(options.file), { recursive: true });
    this.#fd = openSync(options.file, 'a', 0o600);
  }

  record(call: CallRecord): void {
    this.#kept.push(call);
    // Dropped in batches: shifting the array on every call would cost more than the call.
    if (this.#kept.length >= 2 * KEPT) this.#kept = this.#kept.slice(-KEPT);
    if (this.#fd === undefined) return;
    this.#lines.push(JSON.stringify(call));
    if (this.#lines.length >= BUFFERED_LINES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_AFTER_MS).unref();
  }

  /** The last calls, oldest first. */
  recent(): readonly CallRecord[] {
    return this.#kept.slice(-KEPT);
  }

  /** Forgets what memory holds; the file stays. */
  clear(): void {
    this.#kept = [];
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#fd === undefined || this.#lines.length === 0) return;
    writeSync(this.#fd, `${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }

  /** Writes what is buffered and closes the file. What is recorded afterwards stays in memory only. */
  close(): void {
    this.flush();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
