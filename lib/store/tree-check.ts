import { decodePath, parentOf, RawcloudError, showPath } from '../contract';
import type { BytePath, PackedPlace, Ref, Tree } from '../contract';

/** One path of a manifest that has been found harmless. */
export type SafeEntry =
  | { readonly type: 'file'; readonly path: BytePath; readonly executable: boolean; readonly bytes: number; readonly sha256: string }
  | { readonly type: 'link'; readonly path: BytePath; readonly target: BytePath }
  | { readonly type: 'directory'; readonly path: BytePath };

/**
 * Reads the paths of a manifest, however it came to be. None may lead out of the directory it is restored to: neither by its
 * parts nor through a link or file that the manifest itself puts in its way.
 * @throws E_INTEGRITY naming the path
 */
export function safeEntries(tree: Tree): SafeEntry[] {
  const entries = tree.entries.map((entry): SafeEntry => {
    const path = decodePath(entry.path, entry.raw);
    if (!isInside(path)) throw refused(path, 'leads out of it');
    if (entry.type === 'link') return { type: 'link', path, target: safeTarget(path, decodePath(entry.target, entry.raw)) };
    return { ...entry, path };
  });
  const types = new Map<BytePath, SafeEntry['type']>();
  for (const { path, type } of entries) {
    if (types.has(path)) throw refused(path, 'is named twice');
    types.set(path, type);
  }
  for (const { path } of entries) {
    for (let at = parentOf(path); at !== ''; at = parentOf(at)) {
      if ((types.get(at) ?? 'directory') !== 'directory') throw refused(path, `lies behind the ${types.get(at)} ${showPath(at)}`);
    }
  }
  return entries;
}

/** Whether a path of a manifest stays within the directory that it is restored to, by its text. */
export function isInside(path: BytePath): boolean {
  return isBytes(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function safeTarget(path: BytePath, target: BytePath): BytePath {
  if (target === '' || !isBytes(target)) throw refused(path, 'is a link to nothing that has a name');
  return target;
}

/** A character for each byte, and none that ends a name. */
function isBytes(path: BytePath): boolean {
  return !/[^\x01-\xff]/.test(path);
}

function refused(path: BytePath, why: string): RawcloudError {
  return new RawcloudError('E_INTEGRITY', `the tree manifest is refused: its path ${showPath(path)} ${why}`, {
    data: { path: showPath(path) },
  });
}

/** A part is held in memory, whoever wrote the manifest. */
const MOST_PART_BYTES = 64 * 2 ** 20;

/** Content within one object. */
export interface PackedAt extends PackedPlace {
  readonly object: string;
}

/** Content that is several objects, one after the other. */
export interface PartedAt {
  readonly objects: readonly string[];
  readonly partBytes: number;
}

/** Where a blob of so many bytes lies. @throws E_INTEGRITY when the manifest does not say */
export function placeOf(tree: Tree, { sha256, bytes }: Ref, path: BytePath): PackedAt | PartedAt {
  const place = Object.hasOwn(tree.blobs, sha256) ? tree.blobs[sha256] : undefined;
  if (place && 'parts' in place) {
    const { parts, partBytes } = place;
    const objects = parts.flatMap((part) => tree.packs[part] ?? []);
    if (partBytes > 0 && partBytes <= MOST_PART_BYTES && objects.length === parts.length && objects.length === Math.ceil(bytes / partBytes))
      return { objects, partBytes };
  } else if (place) {
    const object = tree.packs[place.pack];
    if (object !== undefined && place.offset >= 0 && place.length > 0) return { ...place, object };
  }
  throw refused(path, 'has no content that lies anywhere');
}
