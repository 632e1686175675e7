import { realpath } from 'node:fs/promises';
import { findTravelling } from '../../capture/travelling';
import { showPath } from '../../contract';
import { Contents } from './contents';
import { hashFiles } from './hash-tree';
import type { MeasureOptions } from './sync';
import { TreeCacheFile } from './tree-cache/file';

/** Paths of what is not as it was: files, links, empty directories. */
export interface TreeDiff {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/**
 * What has changed in a tree since it was synchronized with a bucket; by content, not by times. Sends and writes nothing.
 * @returns undefined when it is not known how it was
 */
export async function diffTree(options: MeasureOptions & { readonly treeCacheDirectory: string }): Promise<TreeDiff | undefined> {
  const { root, treeCacheDirectory } = options;
  const cached = await new TreeCacheFile(treeCacheDirectory, await realpath(root)).read();
  if (!cached) return undefined;
  const { entries, sources } = await findTravelling(root, options);
  const contents = new Contents(entries, cached.columns);
  const reading = { locate: sources.locate.bind(sources), ...(options.signal ? { signal: options.signal } : {}) };
  const unread = contents.takeUnread();
  for await (const read of hashFiles(contents.unread(unread), unread.length, reading)) contents.set(read.index, read);
  const { added, changed, gone } = contents.changes();
  return { added: added.map(showPath), changed: changed.map(showPath), removed: gone.map(showPath) };
}
