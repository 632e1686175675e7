import { canonicalName } from '../../../contract';
import type { Distribution } from '../distributions';
import { counts, extrasIn, parseDependency } from './dependency';
import type { Dependency } from './dependency';

type Values = Readonly<Record<string, string>>;

const NO_EXTRAS: ReadonlySet<string> = new Set();

/** Who needs whom among installed packages, by their own records. */
export class Graph {
  readonly #dependencies = new Map<string, readonly Dependency[]>();
  readonly #extras = new Map<string, Set<string>>();
  #isRead = false;

  /** @param values - what markers see on the machine that the packages were installed for */
  constructor(
    private readonly distributions: readonly Distribution[],
    private readonly values: Values,
  ) {}

  /** Most environments travel as they are, and nobody asks. */
  #read(): void {
    if (this.#isRead) return;
    this.#isRead = true;
    for (const { name, requires = [] } of this.distributions) {
      this.#dependencies.set(
        canonicalName(name),
        requires.flatMap((text) => parseDependency(text) ?? []),
      );
    }
    this.#spreadExtras();
    for (const name of this.#dependencies.keys()) this.#inferExtras(name);
    this.#spreadExtras();
  }

  has(name: string): boolean {
    this.#read();
    return this.#dependencies.has(name);
  }

  /** Extras that a package was installed with, as far as can be told, sorted. */
  extrasOf(name: string): readonly string[] {
    this.#read();
    return [...(this.#extras.get(name) ?? [])].sort();
  }

  /** What a package needs on a machine, whether it is installed or not. */
  needs(name: string, values: Values = this.values): readonly Dependency[] {
    this.#read();
    const all = this.#dependencies.get(name) ?? [];
    const extras = this.#extras.get(name) ?? NO_EXTRAS;
    return all.filter((dependency) => counts(dependency, values, extras));
  }

  /** These, and of the installed ones all that they need on one machine or the other. */
  closure(names: Iterable<string>, ...machines: readonly Values[]): Set<string> {
    const reached = new Set<string>();
    const left = [...names];
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      if (reached.has(name) || !this.has(name)) continue;
      reached.add(name);
      for (const values of machines) left.push(...this.needs(name, values).map((dependency) => dependency.name));
    }
    return reached;
  }

  /** Extras that packages ask for of others. */
  #spreadExtras(): void {
    for (let before = -1, now = this.#size(); now !== before; now = this.#size()) {
      before = now;
      for (const name of this.#dependencies.keys()) {
        for (const { name: needed, extras } of this.needs(name)) extras.forEach((extra) => this.#addExtra(needed, extra));
      }
    }
  }

  #size(): number {
    return [...this.#extras.values()].reduce((sum, extras) => sum + extras.size, 0);
  }

  #addExtra(name: string, extra: string): void {
    const extras = this.#extras.get(name) ?? new Set();
    this.#extras.set(name, extras.add(extra));
  }

  /** Nobody writes down which extras were typed: one whose packages are all here was. */
  #inferExtras(name: string): void {
    const all = this.#dependencies.get(name)!;
    const mentioned = new Set(all.flatMap(({ marker = '' }) => extrasIn(marker)));
    for (const extra of mentioned) {
      const brought = all.filter((one) => counts(one, this.values, new Set([extra])) && !counts(one, this.values, NO_EXTRAS));
      if (brought.length > 0 && brought.every((dependency) => this.has(dependency.name))) this.#addExtra(name, extra);
    }
  }
}
