import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import path from 'node:path';
import { sha256Of } from '../../../store/sha256';
import { decodeTreeCache, encodeTreeCache } from './codec';
import type { CachedTree } from './codec';

/*
 * What this client remembers of one directory and one bucket. The file is replaced as a whole, so that two clients at once
 * and a crash leave one of them whole; what cannot be read, belongs to another directory or another machine's byte order, or
 * is of another version is as good as none: then everything is read anew.
 */

export class TreeCacheFile {
  readonly #file: string;

  constructor(
    directory: string,
    /** Of the tree: its real path. */
    private readonly root: string,
  ) {
    this.#file = path.join(directory, `${sha256Of(Buffer.from(root)).slice(0, 32)}.${endianness()}`);
  }

  async read(): Promise<CachedTree | undefined> {
    const bytes = await readFile(this.#file).catch(() => undefined);
    const found = bytes && decodeTreeCache(bytes);
    return found?.state.root === this.root ? found : undefined;
  }

  /** Names in a tree may be secret: only its user reads the file. */
  async write(tree: Omit<CachedTree, 'state'> & { readonly state: Omit<CachedTree['state'], 'root'> }): Promise<void> {
    const temporary = `${this.#file}.${randomUUID()}`;
    await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    try {
      await writeFile(temporary, encodeTreeCache({ ...tree, state: { ...tree.state, root: this.root } }), { mode: 0o600 });
      await rename(temporary, this.#file);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}
