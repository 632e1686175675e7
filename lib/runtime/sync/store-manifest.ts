import { bucketKeys } from '../../contract';
import type { Ref, Store } from '../../contract';
import { keepContent } from '../../store/keep';
import { encodeTree, encodeTreeJson } from '../../store/tree-codec';
import type { EncodedTree } from '../../store/tree-codec';
import type { Contents } from './contents';
import type { KnownBlobs } from './known';
import { buildChange, ManifestJson } from './manifest';
import type { TreeState } from './tree-cache/codec';

/** What a client keeps of the manifest that it stored last. */
export type ManifestState = Omit<TreeState, 'root'>;

export interface StoreManifestOptions {
  readonly store: Store;
  readonly known: KnownBlobs;
  readonly signal?: AbortSignal;
  readonly onSent: () => void;
}

/** A change that names more than this part of the tree is no gain over naming all of it. */
const MOST_TOUCHED = 1 / 8;

/** Objects that a manifest needs: itself, its base, and those that content lies in. */
export function objectsOf({ manifest, base, objects }: ManifestState): string[] {
  return [...new Set([manifest.sha256, base.ref.sha256, ...base.objects, ...objects])];
}

/**
 * Stores the manifest of a tree all of whose content is in the bucket: none when nothing changed, the change alone when that
 * is little. `last`: what was stored before, when all of it is still there.
 */
export async function storeManifest(
  contents: Contents,
  last: ManifestState | undefined,
  options: StoreManifestOptions,
): Promise<ManifestState> {
  const find = options.known.find.bind(options.known);
  const changed = last ? contents.changedPaths() : [];
  if (last && changed.length === 0) return last;
  const touched = new Set([...(last?.touched ?? []), ...changed]);
  if (last && touched.size <= contents.count().entries * MOST_TOUCHED) {
    const here = contents.travelling((path) => touched.has(path));
    const change = buildChange(last.base.ref, touched, here, find);
    return { manifest: await storeTree(await encodeTree(change), options), base: last.base, objects: change.packs, touched: [...touched] };
  }
  const json = new ManifestJson(contents.travelling(), find);
  const manifest = await storeTree(await encodeTreeJson(json), options);
  return { manifest, base: { ref: manifest, objects: [...json.packs] }, objects: [], touched: [] };
}

async function storeTree({ bytes, sha256 }: EncodedTree, { store, known, signal, onSent }: StoreManifestOptions): Promise<Ref> {
  if (!(await known.areThere([sha256]))) {
    if (await keepContent(store, bucketKeys.file(sha256), bytes, { sha256, ...(signal ? { signal } : {}) })) onSent();
    await known.stored(sha256, []);
  }
  return { sha256, bytes: bytes.byteLength };
}
