import { realpath } from 'node:fs/promises';
import type { CaptureContext, Place, SourceContent } from '../../../contract';
import { archiveOf, hashOfFiles, ignoredFrom, readSource, relativeInside } from '../../source-files';
import type { TarFile } from '../../tar';

/** Directories of source that an environment points at: those in the synchronized tree travel with it, others as archives. */
export class Projects {
  readonly #places = new Map<string, Promise<Place>>();
  readonly #contents = new Map<string, SourceContent>();

  constructor(private readonly context: Pick<CaptureContext, 'root' | 'env' | 'signal'>) {}

  /** Archives that places name. */
  get contents(): SourceContent[] {
    return [...this.#contents.values()];
  }

  /** @throws E_PACKAGE when it holds more than 500 MB and lies outside the tree */
  async placeOf(directory: string): Promise<Place> {
    const real = await realpath(directory);
    const known = this.#places.get(real) ?? this.#find(real);
    this.#places.set(real, known);
    return known;
  }

  async #find(real: string): Promise<Place> {
    const root = await realpath(this.context.root);
    const inTree = relativeInside(root, real);
    if (inTree !== undefined && !(await ignoredFrom(root, real))) return { tree: inTree };
    const content = await archiveOf(await this.#read(real));
    this.#contents.set(content.sha256, content);
    return { archive: content.sha256, path: '' };
  }

  /** A hash of all files of a directory that would travel, by path and content. */
  async hashOf(directory: string): Promise<string> {
    return hashOfFiles(await this.#read(await realpath(directory)));
  }

  #read(directory: string): Promise<TarFile[]> {
    return readSource(directory, { ...this.context, what: 'a Python package is installed from' });
  }
}
