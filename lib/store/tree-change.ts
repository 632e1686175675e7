import { decodePath } from '../contract';
import type { BlobPlace, BytePath, Tree, TreeChange, TreeEntry } from '../contract';

/** The tree that a change of its base stands for. */
export function applyChange(base: Tree, { removed, changed, packs, blobs }: TreeChange): Tree {
  const entries = new Map<BytePath, TreeEntry>(base.entries.map((entry) => [pathOf(entry), entry]));
  for (const entry of removed) entries.delete(pathOf(entry));
  for (const entry of changed) entries.set(pathOf(entry), entry);
  const moved = Object.entries(blobs).map(([sha256, place]) => [sha256, behind(place, base.packs.length)] as const);
  return {
    v: 1,
    entries: [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry),
    packs: [...base.packs, ...packs],
    blobs: { ...base.blobs, ...Object.fromEntries(moved) },
  };
}

/** The same place when so many other objects are named before its own. */
function behind(place: BlobPlace, objects: number): BlobPlace {
  if ('parts' in place) return { ...place, parts: place.parts.map((part) => part + objects) };
  return { ...place, pack: place.pack + objects };
}

function pathOf({ path, raw }: { readonly path: string; readonly raw?: true | undefined }): BytePath {
  return decodePath(path, raw);
}
