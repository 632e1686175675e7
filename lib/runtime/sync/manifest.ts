import type { WalkEntry } from '../../capture/walk';
import { encodeLink, encodePath } from '../../contract';
import type { Tree, TreeEntry } from '../../contract';
import { EMPTY_SHA256 } from '../../store/sha256';
import type { HashedFile } from './hash-tree';
import type { KnownBlob } from './known';

/** The manifest of a tree all of whose content is in the bucket. */
export function buildManifest(
  entries: readonly WalkEntry[],
  files: ReadonlyMap<string, HashedFile>,
  find: (sha256: string) => KnownBlob | undefined,
): Tree {
  const packs = new Map<string, number>();
  const blobs: Tree['blobs'] = {};
  const place = (sha256: string): void => {
    const blob = find(sha256);
    if (!blob) throw new Error(`content ${sha256} was neither known nor uploaded`);
    const pack = packs.get(blob.object) ?? packs.size;
    packs.set(blob.object, pack);
    blobs[sha256] = { pack, offset: blob.offset, length: blob.length, encoding: blob.encoding };
  };
  const listed = entries.flatMap((entry): TreeEntry[] => {
    if (entry.type === 'link') return [{ type: 'link', ...encodeLink(entry.path, entry.target) }];
    if (entry.type === 'directory') return [{ type: 'directory', ...encodePath(entry.path) }];
    const file = files.get(entry.path);
    if (!file) return [];
    if (file.sha256 !== EMPTY_SHA256 && !(file.sha256 in blobs)) place(file.sha256);
    return [{ type: 'file', ...encodePath(file.path), executable: file.executable, bytes: file.bytes, sha256: file.sha256 }];
  });
  return { v: 1, entries: listed, packs: [...packs.keys()], blobs };
}
