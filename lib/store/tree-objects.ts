import type { Ref, Store } from '../contract';
import { fetchRef } from './ref';
import { decodeTree } from './tree-codec';

/** The SHA-256 of every object that a tree lies in: its manifest, the one that it changes, and their packs. @throws E_INTEGRITY, E_NEWER, E_RECORD */
export async function objectsOfTree(store: Store, ref: Ref, signal?: AbortSignal): Promise<string[]> {
  const tree = await decodeTree(await fetchRef(store, ref, undefined, signal));
  const base = 'base' in tree ? await objectsOfTree(store, tree.base, signal) : [];
  return [ref.sha256, ...base, ...tree.packs];
}
