import type { WalkEntries } from '../../../capture/entries';
import type { BytePath } from '../../../contract';
import type { Columns } from './snapshot';

export interface Compared {
  /** Row of what is remembered for each entry of a walk, -1 for what was not there. */
  readonly rows: Int32Array;
  /** What is no longer there. */
  readonly gone: readonly BytePath[];
  /** Each entry is in its own row. */
  readonly aligned: boolean;
}

/** Brings a walk and what is remembered together by their paths; both are in byte order. */
export function compare(entries: WalkEntries, columns: Columns | undefined): Compared {
  // Most trees have the same names as the last time, and to see that at once takes a tenth of the time.
  if (columns?.rows === entries.length && columns.paths === entries.pathsText())
    return { rows: new Int32Array(entries.length).map((_, index) => index), gone: [], aligned: true };
  return merge(entries, columns);
}

function merge(entries: WalkEntries, columns: Columns | undefined): Compared {
  const rows = new Int32Array(entries.length).fill(-1);
  const gone: BytePath[] = [];
  const old = new Reader(columns?.paths ?? '');
  for (let index = 0; index < entries.length; index++) {
    const path = entries.path(index);
    while (!old.is(path) && old.path < path && !old.atEnd) gone.push(old.next());
    if (!old.is(path)) continue;
    rows[index] = old.row;
    old.skip(path);
  }
  while (!old.atEnd) gone.push(old.next());
  return { rows, gone, aligned: false };
}

/** Goes through paths that are ended by zero bytes. */
class Reader {
  row = 0;
  #at = 0;

  constructor(private readonly text: string) {}

  get atEnd(): boolean {
    return this.#at >= this.text.length;
  }

  get path(): BytePath {
    return this.text.slice(this.#at, this.text.indexOf('\0', this.#at));
  }

  is(path: BytePath): boolean {
    return this.text.charCodeAt(this.#at + path.length) === 0 && this.text.startsWith(path, this.#at);
  }

  skip(path: BytePath): void {
    this.#at += path.length + 1;
    this.row++;
  }

  next(): BytePath {
    const { path } = this;
    this.skip(path);
    return path;
  }
}
