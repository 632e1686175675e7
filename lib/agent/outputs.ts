import { decodePath, encodeLink, formatSize, fsPath, hasCode, jobKeys, leadsOutside, mapBounded, showPath } from '../contract';
import type { Beat, BytePath, Clock, Notice, Ref, Store, Tree } from '../contract';
import { uploadLargeBlobs, uploadSmallBlobs } from '../store/blob-upload';
import type { SmallBlob, UploadOptions } from '../store/blob-upload';
import { inOrder } from '../store/in-order';
import { PART_BYTES, SMALL_BLOB_BYTES } from '../store/packs';
import { hashFile, readSmallFile } from '../store/read-file';
import type { HashedContent } from '../store/read-file';
import { EMPTY_SHA256 } from '../store/sha256';
import { encodeTree } from '../store/tree-codec';
import { findFiles } from './output-files';
import type { FoundFile } from './output-files';
import { Stored } from './stored-outputs';

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
  /** What of it is kept whole, whatever its size: files and directories. @default - nothing */
  readonly whole?: readonly BytePath[];
  /** Of what is not kept whole. @default 1e8 */
  readonly maxBytes?: number;
  readonly clock: Clock;
  /**
   * Called from time to time while what is kept whole is on its way, with what has arrived: a VM that goes in the middle leaves that.
   */
  readonly onPartly?: (outputs: Outputs) => void;
  readonly onProgress?: (detail: string) => void;
  readonly signal?: AbortSignal;
  readonly onNotice?: (notice: Notice) => void;
}

const MAX_BYTES = 1e8;

/** Kept at most: a manifest of some 10 MB. What is beyond is named like what is too large. */
const MAX_KEPT = 50_000;

/** Listed in the beat at most: some 100 KB. */
const MAX_LISTED = 1000;

/** After so many bytes of what is kept whole, or a little more, it is time to see whether to tell of them. */
const BATCH_BYTES = 256 * 2 ** 20;
const PARTLY_EVERY_MS = 10_000;

/** What costs less than some cents a month is not worth a line. S3 Standard in us-east-1: source as in docs/costs.md. */
const COSTLY_BYTES = 2 ** 30;
const USD_PER_GIB_MONTH = 0.023;

/** Files of one part that are on their way at once. */
const SINGLES = 8;

/** Files of several parts that are hashed: one while the one before is sent. */
const HASHES = 2;

export async function snapshotTree(directory: string): Promise<Snapshot> {
  const stamps = new Map<BytePath, string>();
  for await (const { path, stamp } of findFiles(directory)) stamps.set(path, stamp);
  return stamps;
}

/**
 * Finds what the command has written below the directory and stores it under the job's prefix: packs and large files by the
 * hash of their content, then a manifest of the same form as that of a tree. The smallest files are kept first, so that one
 * large checkpoint does not cost all the results; then, in any number and size, what is to be kept whole; the others are listed.
 * Links are kept when they stay within the tree.
 */
export async function collectOutputs(options: CollectOptions): Promise<Outputs> {
  const maxBytes = options.maxBytes ?? MAX_BYTES;
  const chosen = choose(await changedFiles(options), options.whole ?? [], maxBytes);
  const stored = new Stored();
  await storeFiles(chosen.kept, stored, options);
  if (chosen.whole.length > 0) await storeWhole(chosen, stored, options);
  const notKept = notStored(chosen, stored);
  if (notKept.length > 0) options.onNotice?.(notKeptNotice(notKept, maxBytes));
  const costly = sumOf(chosen.whole.filter(({ path }) => stored.has(path)));
  if (costly >= COSTLY_BYTES) options.onNotice?.(costNotice(costly));
  return outputsOf(chosen, stored, options);
}

/** Some at a time, so that what has arrived is on record soon. */
async function storeWhole(chosen: Chosen, stored: Stored, options: CollectOptions): Promise<void> {
  const { clock, onPartly, onProgress } = options;
  const total = sumOf(chosen.whole);
  const tell = async (): Promise<void> => onPartly?.(await outputsOf(chosen, stored, options));
  await tell();
  let toldAt = clock.now();
  let bytes = 0;
  for (const files of batches(chosen.whole)) {
    onProgress?.(`saving files, ${formatSize(bytes)} of ${formatSize(total)}`);
    await storeFiles(files, stored, options);
    bytes += sumOf(files);
    if (clock.now() - toldAt < PARTLY_EVERY_MS) continue;
    await tell();
    toldAt = clock.now();
  }
}

function sumOf(files: readonly FoundFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function* batches(files: readonly FoundFile[]): Generator<FoundFile[]> {
  let batch: FoundFile[] = [];
  let bytes = 0;
  for (const file of files) {
    batch.push(file);
    bytes += file.bytes;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  yield batch;
}

function notStored({ kept, whole, left }: Chosen, stored: Stored): FoundFile[] {
  const lost = [...kept, ...whole].filter((file) => !stored.has(file.path));
  return [...left, ...lost].sort((a, b) => b.bytes - a.bytes);
}

/** With the manifest of what is stored by now. */
async function outputsOf(chosen: Chosen, stored: Stored, options: CollectOptions): Promise<Outputs> {
  const listed = [
    ...notStored(chosen, stored).map((file) => describe(file, false)),
    ...[...chosen.whole, ...chosen.kept].filter(({ path }) => stored.has(path)).map((file) => describe(file, true)),
  ];
  const files = listed.slice(0, MAX_LISTED).sort((a, b) => (a.path < b.path ? -1 : 1));
  const tree = stored.size === 0 ? undefined : await storeManifest(stored, options);
  return { files, omitted: listed.length - files.length, ...(tree ? { tree } : {}) };
}

function describe({ path, bytes }: FoundFile, kept: boolean): Outputs['files'][number] {
  return { path: Buffer.from(path, 'latin1').toString(), bytes, kept };
}

function costNotice(bytes: number): Notice {
  const usd = ((bytes / 2 ** 30) * USD_PER_GIB_MONTH).toFixed(2);
  return { level: 'info', text: `${formatSize(bytes)} are kept in the bucket, which costs about $${usd} a month until they are deleted` };
}

function notKeptNotice(files: readonly FoundFile[], maxBytes: number): Notice {
  const named = files.slice(0, 5).map(({ path, bytes }) => `${showPath(path)} (${formatSize(bytes)})`);
  const more = files.length > named.length ? ` and ${files.length - named.length} more` : '';
  return {
    level: 'warning',
    text: `not kept: ${named.join(', ')}${more}; up to ${formatSize(maxBytes)} are, the smallest first, of what can be read and rests; name what shall be kept whole with --keep PATH`,
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

/** What becomes of the files. */
interface Chosen {
  readonly kept: readonly FoundFile[];
  /** The smallest first. */
  readonly whole: readonly FoundFile[];
  readonly left: readonly FoundFile[];
}

function choose(files: readonly FoundFile[], named: readonly BytePath[], maxBytes: number): Chosen {
  const kept: FoundFile[] = [];
  const whole: FoundFile[] = [];
  const left: FoundFile[] = [];
  let bytes = 0;
  for (const file of [...files].sort((a, b) => a.bytes - b.bytes || byPath(a, b))) {
    const isOutward = file.target !== undefined && leadsOutside(file.path, file.target);
    const isWhole = !isOutward && named.some((path) => isBelow(file.path, path));
    const fits = !isOutward && !isWhole && kept.length < MAX_KEPT && bytes + file.bytes <= maxBytes;
    if (fits) bytes += file.bytes;
    (isWhole ? whole : fits ? kept : left).push(file);
  }
  return { kept: kept.sort(byPath), whole, left };
}

/** Whether a path is another, or lies below it; '' is the root. */
function isBelow(path: BytePath, directory: BytePath): boolean {
  return directory === '' || path === directory || path.startsWith(`${directory}/`);
}

function byPath(a: FoundFile, b: FoundFile): number {
  return a.path < b.path ? -1 : 1;
}

async function storeFiles(
  files: readonly FoundFile[],
  stored: Stored,
  { store, prefix, vm, directory, signal }: CollectOptions,
): Promise<void> {
  const upload: UploadOptions = {
    store,
    keyOf: (sha256) => jobKeys.out(prefix, vm, sha256),
    onStored: stored.placed,
    ...(signal ? { signal } : {}),
  };
  const large: FoundFile[] = [];
  await uploadSmallBlobs(smallContents(files, directory, stored, large), upload);
  const parted = large.filter(({ bytes }) => bytes > PART_BYTES);
  const single = large.filter(({ bytes }) => bytes <= PART_BYTES);
  // File by file: what is still being written must not spoil the others. Those of several parts have requests enough by themselves.
  await mapBounded(single, SINGLES, async (file) => storeLarge(file, await hashQuiet(file, directory, signal), directory, stored, upload));
  const hashed = inOrder(parted, HASHES, async (file) => ({ file, content: await hashQuiet(file, directory, signal) }));
  for await (const { file, content } of hashed) await storeLarge(file, content, directory, stored, upload);
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

async function hashQuiet({ path }: FoundFile, directory: string, signal: AbortSignal | undefined): Promise<HashedContent | undefined> {
  try {
    return await hashFile(fsPath(directory, path), showPath(path), signal ? { signal } : {});
  } catch (error) {
    return notKept(error);
  }
}

async function storeLarge(
  found: FoundFile,
  content: HashedContent | undefined,
  directory: string,
  stored: Stored,
  upload: UploadOptions,
): Promise<void> {
  if (!content) return;
  try {
    await uploadLargeBlobs([{ ...content, file: fsPath(directory, found.path), name: showPath(found.path) }], upload);
    stored.file(found, content);
  } catch (error) {
    notKept(error);
  }
}

/** Failures of one file; those of the store are everybody's. */
function notKept(error: unknown): undefined {
  if (!hasCode(error, 'E_FILE_CHANGED', 'E_USAGE')) throw error;
}

async function storeManifest(stored: Stored, { store, prefix, vm, signal }: CollectOptions): Promise<Ref> {
  const entries = [...stored.entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  const { bytes, sha256 } = await encodeTree({ v: 1, entries, ...stored.places() });
  await store.put(jobKeys.out(prefix, vm, sha256), bytes, { if: 'absent', ...(signal ? { signal } : {}) });
  return { sha256, bytes: bytes.byteLength };
}
