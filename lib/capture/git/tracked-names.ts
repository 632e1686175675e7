import type { BytePath } from '../../contract';

/** What a repository tracks, by names that stay where they were read. */
export class TrackedNames {
  static readonly none = new TrackedNames(Buffer.alloc(0), []);

  /** `ends` holds where each name begins and ends in `bytes`; names are relative to the work tree and in byte order. */
  constructor(
    private readonly bytes: Buffer,
    private readonly ends: readonly number[],
  ) {}

  /** From names as git lists them, each ended by a zero byte. */
  static ofList(list: Buffer): TrackedNames {
    const ends: number[] = [];
    for (let start = 0, end = list.indexOf(0); end >= 0; start = end + 1, end = list.indexOf(0, start)) ends.push(start, end);
    return new TrackedNames(list, ends);
  }

  has(path: BytePath): boolean {
    const name = Buffer.from(path, 'latin1');
    const row = this.#firstFrom(name);
    return this.#begins(row, name) && this.ends[2 * row + 1]! - this.ends[2 * row]! === name.byteLength;
  }

  /** Whether something below the directory is tracked. */
  leadsTo(directory: BytePath): boolean {
    const prefix = Buffer.from(`${directory}/`, 'latin1');
    return this.#begins(this.#firstFrom(prefix), prefix);
  }

  /** All of them, in order. */
  list(): BytePath[] {
    return Array.from({ length: this.ends.length / 2 }, (_, row) =>
      this.bytes.toString('latin1', this.ends[2 * row], this.ends[2 * row + 1]),
    );
  }

  /** The first row that does not come before `name`. */
  #firstFrom(name: Buffer): number {
    let low = 0;
    let high = this.ends.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = name.compare(this.bytes, this.ends[2 * middle], this.ends[2 * middle + 1]);
      if (order > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #begins(row: number, prefix: Buffer): boolean {
    const start = this.ends[2 * row];
    if (start === undefined) return false;
    const end = start + prefix.byteLength;
    return end <= this.ends[2 * row + 1]! && prefix.compare(this.bytes, start, end) === 0;
  }
}
