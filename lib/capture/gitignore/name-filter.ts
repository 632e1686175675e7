import type { Pattern } from './pattern';

/** Tells of most names by themselves that no pattern of a list matches: few files of a tree are ignored. */
export class NameFilter {
  readonly #only = new Set<string>();
  readonly #ends = new Set<string>();
  #any = false;

  constructor(patterns: Iterable<Pattern>) {
    for (const { names } of patterns) {
      if (names === 'any') this.#any = true;
      else if ('only' in names) this.#only.add(names.only);
      else this.#ends.add(names.endIn);
    }
  }

  mayMatch(name: string): boolean {
    if (this.#any || this.#only.has(name)) return true;
    for (const end of this.#ends) if (name.endsWith(end)) return true;
    return false;
  }
}
