/** Order of S3's listings: by the bytes of UTF-8. JavaScript compares UTF-16 units, which differs behind the surrogates. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  if (BEHIND_SURROGATES.test(a) || BEHIND_SURROGATES.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

const BEHIND_SURROGATES = /[\ud800-\uffff]/;

/** Values by key with the keys in order. Writing is O(1); the first listing after writes merges what is new. */
export class KeyIndex<T> {
  readonly #values = new Map<string, T>();
  #sorted: string[] = [];
  #added = new Set<string>();
  #removed = false;

  get size(): number {
    return this.#values.size;
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: T): void {
    if (!this.#values.has(key)) this.#added.add(key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    // A key that was added since the last listing stands in no sorted list yet.
    if (this.#values.delete(key) && !this.#added.delete(key)) this.#removed = true;
  }

  /** All keys, in order. */
  keys(): readonly string[] {
    if (this.#removed) {
      // A key that was deleted and written again stands in the list already, and in `added`.
      this.#sorted = this.#sorted.filter((key) => this.#values.has(key) && !this.#added.has(key));
      this.#removed = false;
    }
    if (this.#added.size > 0) {
      this.#sorted = merge(this.#sorted, [...this.#added].sort(compareKeys));
      this.#added = new Set();
    }
    return this.#sorted;
  }
}

function merge(a: readonly string[], b: readonly string[]): string[] {
  const out: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) out.push(compareKeys(a[i]!, b[j]!) < 0 ? a[i++]! : b[j++]!);
  return out.concat(a.slice(i), b.slice(j));
}

/** Index of the first key for which `holds` is true; it must be false for all before and true for all after. */
export function firstWhere(keys: readonly string[], holds: (key: string) => boolean, from = 0): number {
  let [low, high] = [from, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(keys[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
