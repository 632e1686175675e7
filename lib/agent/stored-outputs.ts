import { encodePath } from '../contract';
import type { BlobPlace, BytePath, Tree, TreeEntry } from '../contract';
import type { StoredObject } from '../store/blob-upload';
import { PART_BYTES } from '../store/packs';
import type { PackedBlob } from '../store/packs';
import type { HashedContent } from '../store/read-file';
import type { FoundFile } from './output-files';

/** Entries of what was stored, by path, and where their content lies. */
export class Stored {
  readonly entries = new Map<BytePath, TreeEntry>();
  readonly #packed = new Map<string, PackedBlob & { readonly object: string }>();
  readonly #parted = new Map<string, readonly string[]>();

  get size(): number {
    return this.entries.size;
  }

  has(path: BytePath): boolean {
    return this.entries.has(path);
  }

  file({ path, executable }: FoundFile, { sha256, bytes, parts }: Pick<HashedContent, 'sha256' | 'bytes' | 'parts'>): void {
    if (parts) this.#parted.set(sha256, parts);
    this.entries.set(path, { type: 'file', ...encodePath(path), executable, bytes, sha256 });
  }

  readonly placed = ({ object, blobs }: StoredObject): void => {
    for (const blob of blobs) this.#packed.set(blob.sha256, { ...blob, object });
  };

  /** All that a manifest says of where content lies. */
  places(): Pick<Tree, 'packs' | 'blobs'> {
    const packs = [...new Set([...this.#packed.values()].map(({ object }) => object))];
    const numbers = new Map(packs.map((object, number) => [object, number]));
    const packed = [...this.#packed].map(([sha256, { object, offset, length, encoding }]): [string, BlobPlace] => [
      sha256,
      { pack: numbers.get(object)!, offset, length, encoding },
    ]);
    const parted = [...this.#parted].map(([sha256, parts]): [string, BlobPlace] => [
      sha256,
      { parts: parts.map((part) => numbers.get(part)!), partBytes: PART_BYTES },
    ]);
    return { packs, blobs: Object.fromEntries([...packed, ...parted]) };
  }
}
