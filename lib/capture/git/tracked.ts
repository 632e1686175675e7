import type { BytePath } from '../../contract';
import type { TrackedNames } from './tracked-names';

/** What the repositories of a tree track, by paths in the tree. */
export class Tracked {
  readonly #repositories: { readonly base: string; readonly names: TrackedNames }[] = [];

  /** `workTree`: its path in the tree. */
  add(workTree: BytePath, names: TrackedNames): void {
    this.#repositories.push({ base: workTree === '' ? '' : `${workTree}/`, names });
  }

  has(path: BytePath): boolean {
    return this.#repositories.some(({ base, names }) => path.startsWith(base) && names.has(path.slice(base.length)));
  }

  leadsTo(directory: BytePath): boolean {
    return this.#repositories.some(({ base, names }) => directory.startsWith(base) && names.leadsTo(directory.slice(base.length)));
  }
}
