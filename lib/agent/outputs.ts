import { decodePath, encodeLink, encodePath, formatSize, fsPath, hasCode, jobKeys, leadsOutside, showPath } from '../contract';
import type { Beat, BytePath, Notice, Ref, Store, Tree, TreeEntry } from '../contract';
import { uploadLargeBlobs, uploadSmallBlobs } from '../store/blob-upload';
import type { SmallBlob, StoredObject, UploadOptions } from '../store/blob-upload';
import { SMALL_BLOB_BYTES } from '../store/packs';
import type { PackedBlob } from '../store/packs';
import { hashFile, readSmallFile } from '../store/read-file';
import { EMPTY_SHA256 } from '../store/sha256';
import { encodeTree } from '../store/tree-codec';
import { findFiles } from './output-files';
import type { FoundFile } from './output-files';

export type Outputs = NonNullable<Beat['outputs']>;

/** What lay in the tree before the command ran: stamps by path. */
export type Snapshot = ReadonlyMap<BytePath, string>;

export interface CollectOptions {
  readonly store: Store;
  /** The job's prefix, and the VM's name in keys. */
  readonly prefix: string;
  readonly vm: string;
  readonly directory: string;
  /** What was restored there. */
  readonly tree: Tree;
  /** Of the directory, taken just before the command began. */
  readonly snapshot: Snapshot;
  /** @default 1e8 */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  readonly onNotice?: (notice: Notice) => void;
}

const MAX_BYTES = 1e8;

/** Kept at most: a manifest of some 10 MB. What is beyond is named like what is too large. */
const MAX_KEPT = 50_000;

/** Listed in the beat at most: some 100 KB. */
const MAX_LISTED = 1000;

export async function snapshotTree(directory: string): Promise<Snapshot> {
  const stamps = new Map<BytePath, string>();
  for await (const { path, stamp } of findFiles(directory)) stamps.set(path, stamp);
  return stamps;
}

/**
 * Finds what the command has written below the directory and stores it under the job's prefix: packs and large files by the
 * hash of their content, then a manifest of the same form as that of a tree. The smallest files are kept first, so that one
 * large checkpoint does not cost all the results; the others are listed. Links are kept when they stay within the tree.
 */
export async function collectOutputs(options: CollectOptions): Promise<Outputs> {
  const changed = await changedFiles(options);
  const { kept, left } = choose(changed, options.maxBytes ?? MAX_BYTES);
  const stored = await storeFiles(kept, options);
  const lost = kept.filter((file) => !stored.has(file.path));
  const notKept = [...left, ...lost].sort((a, b) => b.bytes - a.bytes);
  if (notKept.length > 0) options.onNotice?.(notKeptNotice(notKept, options.maxBytes ?? MAX_BYTES));
  const listed = [
    ...notKept.map((file) => describe(file, false)),
    ...kept.filter(({ path }) => stored.has(path)).map((file) => describe(file, true)),
  ];
  const files = listed.slice(0, MAX_LISTED).sort((a, b) => (a.path < b.path ? -1 : 1));
  const tree = stored.size === 0 ? undefined : await storeManifest(stored, options);
  return { files, omitted: listed.length - files.length, ...(tree ? { tree } : {}) };
}

function describe({ path, bytes }: FoundFile, kept: boolean): Outputs['files'][number] {
  return { path: Buffer.from(path, 'latin1').toString(), bytes, kept };
}

function notKeptNotice(files: readonly FoundFile[], maxBytes: number): Notice {
  const named = files.slice(0, 5).map(({ path, bytes }) => `${showPath(path)} (${formatSize(bytes)})`);
  const more = files.length > named.length ? ` and ${files.length - named.length} more` : '';
  return {
    level: 'warning',
    text: `not kept: ${named.join(', ')}${more}; up to ${formatSize(maxBytes)} are, the smallest first, of what can be read and rests; let the job copy the others to a bucket`,
  };
}

/** Written since the snapshot, and not to what they were. */
async function changedFiles({ directory, tree, snapshot, onNotice }: CollectOptions): Promise<FoundFile[]> {
  const before = contentsOf(tree);
  const changed: FoundFile[] = [];
  const unreadable = (path: BytePath): void =>
    onNotice?.({ level: 'warning', text: `${showPath(path)} cannot be read: what is in it is not kept` });
  for await (const file of findFiles(directory, unreadable)) {
    if (snapshot.get(file.path) !== file.stamp && !(await isAsBefore(file, before.get(file.path), directory))) changed.push(file);
  }
  return changed;
}

function contentsOf(tree: Tree): Map<BytePath, Ref> {
  return new Map(tree.entries.flatMap((entry) => (entry.type === 'file' ? [[decodePath(entry.path, entry.raw), entry] as const] : [])));
}

/** Written again with the same content, or only given another owner. */
async function isAsBefore({ path, bytes, target }: FoundFile, before: Ref | undefined, directory: string): Promise<boolean> {
  if (!before || before.bytes !== bytes || target !== undefined) return false;
  const now = await hashFile(fsPath(directory, path), showPath(path)).catch(() => undefined);
  return now?.sha256 === before.sha256;
}

function choose(files: readonly FoundFile[], maxBytes: number): { kept: FoundFile[]; left: FoundFile[] } {
  const kept: FoundFile[] = [];
  const left: FoundFile[] = [];
  let bytes = 0;
  for (const file of [...files].sort((a, b) => a.bytes - b.bytes || byPath(a, b))) {
    const fits =
      kept.length < MAX_KEPT && bytes + file.bytes <= maxBytes && !(file.target !== undefined && leadsOutside(file.path, file.target));
    if (fits) bytes += file.bytes;
    (fits ? kept : left).push(file);
  }
  return { kept: kept.sort(byPath), left };
}

function byPath(a: FoundFile, b: FoundFile): number {
  return a.path < b.path ? -1 : 1;
}

/** Entries of what was stored, by path, and where their content lies. */
class Stored {
  readonly entries = new Map<BytePath, TreeEntry>();
  readonly places = new Map<string, PackedBlob & { readonly object: string }>();

  get size(): number {
    return this.entries.size;
  }

  has(path: BytePath): boolean {
    return this.entries.has(path);
  }

  file({ path, executable }: FoundFile, { sha256, bytes }: Ref): void {
    this.entries.set(path, { type: 'file', ...encodePath(path), executable, bytes, sha256 });
  }

  readonly placed = ({ object, blobs }: StoredObject): void => {
    for (const blob of blobs) this.places.set(blob.sha256, { ...blob, object });
  };
}

async function storeFiles(files: readonly FoundFile[], { store, prefix, vm, directory, signal }: CollectOptions): Promise<Stored> {
  const stored = new Stored();
  const upload: UploadOptions = {
    store,
    keyOf: (sha256) => jobKeys.out(prefix, vm, sha256),
    onStored: stored.placed,
    ...(signal ? { signal } : {}),
  };
  const large: FoundFile[] = [];
  await uploadSmallBlobs(smallContents(files, directory, stored, large), upload);
  // One by one: what is still being written must not spoil the others.
  for (const file of large) await storeLarge(file, directory, stored, upload);
  return stored;
}

function* smallContents(files: readonly FoundFile[], directory: string, stored: Stored, large: FoundFile[]): Generator<SmallBlob> {
  const seen = new Set([EMPTY_SHA256]);
  for (const file of files) {
    const { path, target } = file;
    if (target !== undefined) stored.entries.set(path, { type: 'link', ...encodeLink(path, target) });
    const read = target === undefined && file.bytes < SMALL_BLOB_BYTES ? readIfQuiet(file, directory) : undefined;
    if (target === undefined && file.bytes >= SMALL_BLOB_BYTES) large.push(file);
    if (read?.kind !== 'read') continue;
    stored.file(file, { sha256: read.sha256, bytes: read.bytes.byteLength });
    if (seen.has(read.sha256)) continue;
    seen.add(read.sha256);
    yield read;
  }
}

/** A file that is still being written to is not kept. */
function readIfQuiet({ path }: FoundFile, directory: string): ReturnType<typeof readSmallFile> | undefined {
  try {
    return readSmallFile(fsPath(directory, path), showPath(path));
  } catch (error) {
    return notKept(error);
  }
}

async function storeLarge(found: FoundFile, directory: string, stored: Stored, upload: UploadOptions): Promise<void> {
  const file = fsPath(directory, found.path);
  const name = showPath(found.path);
  try {
    const hashed = await hashFile(file, name, upload.signal);
    if (!hashed) return;
    await uploadLargeBlobs([{ ...hashed, file, name }], upload);
    stored.file(found, hashed);
  } catch (error) {
    notKept(error);
  }
}

/** Failures of one file; those of the store are everybody's. */
function notKept(error: unknown): undefined {
  if (!hasCode(error, 'E_FILE_CHANGED', 'E_USAGE')) throw error;
}

async function storeManifest(stored: Stored, { store, prefix, vm, signal }: CollectOptions): Promise<Ref> {
  const objects = [...new Set([...stored.places.values()].map((place) => place.object))];
  const index = new Map(objects.map((object, at) => [object, at]));
  const places = [...stored.places].map(
    ([sha256, { object, offset, length, encoding }]) => [sha256, { pack: index.get(object)!, offset, length, encoding }] as const,
  );
  const entries = [...stored.entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  const { bytes, sha256 } = await encodeTree({ v: 1, entries, packs: objects, blobs: Object.fromEntries(places) });
  await store.put(jobKeys.out(prefix, vm, sha256), bytes, { if: 'absent', ...(signal ? { signal } : {}) });
  return { sha256, bytes: bytes.byteLength };
}
