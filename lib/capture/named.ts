import { bytePathOf, parentOf } from '../contract';
import type { BytePath } from '../contract';

/** Paths that travel against the rules, and the directories on the way to them. */
export class Named {
  readonly #paths = new Set<BytePath>();
  readonly #ways = new Set<BytePath>();

  /** Words of the command. What lies in node_modules is installed on the VM, whatever it is called by. */
  static fromCommand(words: readonly string[]): Named {
    const named = new Named();
    for (const word of words) {
      const parts = word.split('/').filter((part) => part !== '' && part !== '.');
      if (parts.length > 0 && !parts.some((part) => part === '..' || part === 'node_modules')) named.add(bytePathOf(parts.join('/')));
    }
    return named;
  }

  get paths(): Iterable<BytePath> {
    return this.#paths;
  }

  add(path: BytePath): void {
    this.#paths.add(path);
    for (let at = parentOf(path); at !== '' && !this.#ways.has(at); at = parentOf(at)) this.#ways.add(at);
  }

  has(path: BytePath): boolean {
    return this.#paths.has(path);
  }

  leadsTo(directory: BytePath): boolean {
    return this.#ways.has(directory);
  }
}
