import { parentOf, RawcloudError, showPath } from '../contract';
import type { BytePath, Notice } from '../contract';
import { WalkEntries } from './entries';
import { isBelow, Sources } from './uploads';
import type { Upload } from './uploads';
import { walkTree, walkWhole } from './walk';
import type { WalkOptions } from './walk';

export interface TravellingOptions extends WalkOptions {
  /** What is taken along whole. @default - nothing */
  readonly uploads?: readonly Upload[];
}

export interface Travelling {
  /** In byte order of their paths. */
  readonly entries: WalkEntries;
  readonly sources: Sources;
  readonly notices: readonly Notice[];
}

/**
 * All that travels: what the rules take of the tree, and what is taken along whole.
 * @throws E_USAGE when a directory cannot be read, or something travels already to where an upload is to be
 */
export async function findTravelling(root: string, { uploads = [], ...options }: TravellingOptions): Promise<Travelling> {
  const tree = await walkTree(root, options);
  // A longer path is the more exact one.
  const sources = new Sources(
    root,
    [...uploads].sort((a, b) => b.at.length - a.at.length),
  );
  if (uploads.length === 0) return { ...tree, sources };
  const notices = [...tree.notices];
  let entries = tree.entries;
  for (const upload of [...uploads].sort((a, b) => a.at.length - b.at.length)) {
    const found = await walkWhole(upload, options);
    entries = merge(entries, found.entries, upload);
    notices.push(...found.notices);
  }
  return { entries: entries.sorted(), sources, notices };
}

/** The entries of an upload among those that travel already. */
function merge(before: WalkEntries, uploaded: WalkEntries, upload: Upload): WalkEntries {
  const merged = new WalkEntries();
  const above = new Set(directoriesAbove(upload.at));
  for (let row = 0; row < before.length; row++) {
    const at = before.path(row);
    if (isBelow(at, upload.at)) {
      if (!upload.isInPlace) throw taken(upload, at);
      continue;
    }
    if (above.has(at) && before.isDirectory(row)) continue;
    if (above.has(at)) throw taken(upload, at);
    merged.take(before, row, at);
  }
  for (let row = 0; row < uploaded.length; row++) merged.take(uploaded, row, placeIn(upload, uploaded.path(row)));
  return merged;
}

function placeIn({ at }: Upload, path: BytePath): BytePath {
  return path === '' || at === '' ? at + path : `${at}/${path}`;
}

function* directoriesAbove(at: BytePath): Generator<BytePath> {
  for (let above = parentOf(at); above !== ''; above = parentOf(above)) yield above;
}

function taken({ typed, at }: Upload, by: BytePath): RawcloudError {
  return new RawcloudError(
    'E_USAGE',
    `cannot take '${typed}' along to ${showPath(at)}: ${showPath(by)} of the tree travels there already`,
    {
      remedy: 'Give it another place: PATH:DEST.',
    },
  );
}
