import { realpath } from 'node:fs/promises';
import { findTravelling } from '../../capture/travelling';
import type { TravellingOptions } from '../../capture/travelling';
import type { Sources } from '../../capture/uploads';
import { isRawcloudError } from '../../contract';
import type { EventData, Notice, Ref, Store } from '../../contract';
import type { TreeSize } from '../api';
import { Contents } from './contents';
import { hashFiles } from './hash-tree';
import type { HashedFile, ReadFile } from './hash-tree';
import { objectsOf as objectsOfBlob } from './manifest';
import { KnownBlobs } from './known';
import { Progress } from './progress';
import { objectsOf, storeManifest } from './store-manifest';
import type { ManifestState } from './store-manifest';
import { TreeCacheFile } from './tree-cache/file';
import type { Columns } from './tree-cache/snapshot';
import { treeSize, treeTooLarge } from './tree-size';
import type { SizedFile } from './tree-size';
import { uploadNewFiles, uploadWhileReading } from './upload-new';
import type { UploadNewOptions } from './upload-new';

export { uploadContent, uploadStream } from './content';

export interface MeasureOptions extends TravellingOptions {
  /** Root of the tree, absolute. */
  readonly root: string;
}

export interface SyncOptions extends MeasureOptions {
  readonly store: Store;
  /** What this client believes to be in this bucket; made when it is not there. */
  readonly cacheFile: string;
  /** Where this client keeps what trees looked like when they were synchronized with this bucket. @default - files are always read */
  readonly treeCacheDirectory?: string;
  /** Program of a thread that reads files ahead. @default - this thread reads */
  readonly readerProgram?: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onProgress?: (progress: EventData['sync.progress']) => void;
  /** Asked before more than `limitBytes` are uploaded. @default - refused with E_TREE_TOO_LARGE */
  readonly confirm?: (size: TreeSize) => Promise<boolean>;
  /** @default 1e9 */
  readonly limitBytes?: number;
}

export interface Synced {
  /** The manifest, as `spec.environment.tree` names it. */
  readonly tree: Ref;
  /** All objects that a VM reads for it, manifests included, by their SHA-256. */
  readonly objects: readonly string[];
  readonly files: number;
  /** Content that the bucket did not hold, before it was deflated. */
  readonly newBytes: number;
  readonly totalBytes: number;
  /** Objects that were sent: packs, large files, the manifest. */
  readonly uploadedObjects: number;
  readonly notices: readonly Notice[];
}

const LIMIT_BYTES = 1e9;

/** A file may change between hash and upload; what was stored by then is not sent again. */
const TRIES = 3;

/** What would travel. Reads no file but ignore rules, writes nothing anywhere. */
export async function measureTree(options: MeasureOptions): Promise<{ size: TreeSize; notices: readonly Notice[] }> {
  const { entries, notices } = await findTravelling(options.root, options);
  const files = Array.from(entries, (entry) => (entry.type === 'file' ? [entry] : [])).flat();
  return { size: treeSize(files), notices };
}

/**
 * Brings a tree into the bucket: walk, hash, ask (when it is much), upload what the bucket lacks, then the manifest.
 * @throws E_TREE_TOO_LARGE, E_FILE_CHANGED, E_USAGE
 */
export async function syncTree(options: SyncOptions): Promise<Synced> {
  let confirmed = false;
  const confirmOnce = async (size: TreeSize): Promise<boolean> => (confirmed ||= (await options.confirm?.(size)) ?? false);
  const counted = { objects: 0, bytes: 0 };
  for (let tries = 1; ; tries++) {
    try {
      return await new Sync({ ...options, confirm: confirmOnce }, counted).run();
    } catch (error) {
      if (tries === TRIES || !isRawcloudError(error) || error.code !== 'E_FILE_CHANGED') throw error;
    }
  }
}

/** What a synchronization works on. */
interface Work {
  readonly contents: Contents;
  readonly known: KnownBlobs;
  readonly sources: Sources;
}

class Sync {
  readonly #progress: Progress;

  constructor(
    private readonly options: SyncOptions,
    /** Over all tries. */
    private readonly counted: { objects: number; bytes: number },
  ) {
    this.#progress = new Progress(options);
  }

  async run(): Promise<Synced> {
    const { options } = this;
    this.#progress.begin('walk');
    const startedAt = options.now();
    const cache = await this.#cacheFile();
    const [walked, known, cached] = await Promise.all([findTravelling(options.root, options), KnownBlobs.load(options), cache?.read()]);
    const contents = new Contents(walked.entries, cached?.columns);
    const last = cached && (await known.areThere(objectsOf(cached.state))) ? cached.state : undefined;
    await this.#bring({ contents, known, sources: walked.sources }, last);

    const onSent = (): unknown => this.counted.objects++;
    const state = await storeManifest(contents, last, { ...options, known, onSent });
    // Unless something was read, or the manifest is another, it is remembered as it is.
    const isNews = state !== cached?.state || contents.hasRead;
    const notices = isNews ? await remember(cache, { columns: contents.columns(startedAt), state }) : [];
    const { files, bytes } = contents.count();
    this.#progress.begin('done', files);
    return {
      tree: state.manifest,
      objects: objectsOf(state),
      files,
      newBytes: this.counted.bytes,
      totalBytes: bytes,
      uploadedObjects: this.counted.objects,
      notices: [...walked.notices, ...notices],
    };
  }

  /** Brings into the bucket what it lacks of the files' content. */
  async #bring(work: Work, last: ManifestState | undefined): Promise<void> {
    const { contents, known, sources } = work;
    // All content that the last manifest names is there. Without it each file's is looked for.
    if (!last) await known.verify(objectsWith(contents.hashes(), known));
    const unread = contents.takeUnread(last ? undefined : (sha256) => known.holds(sha256));
    this.#progress.begin('hash', unread.length);
    await this.#read(unread, work);
    // What was found to be there was perhaps not seen for long.
    await known.verify(objectsWith(hashesOf(contents), known));
    const fresh = newContents(contents, known);
    await this.#ask(fresh, sources);
    this.#progress.begin('upload', contents.count().files, this.counted.bytes + sumOf(fresh));
    await uploadNewFiles(fresh, this.#uploadOptions(work));
  }

  /** Reads and hashes; when it is not so much that somebody is to be asked first, small files are sent on the way. */
  async #read(unread: readonly number[], work: Work): Promise<void> {
    const { contents, known, sources } = work;
    const { limitBytes = LIMIT_BYTES } = this.options;
    // Content of a length that the bucket does not hold is surely new: no need to hash a terabyte before asking.
    const isMuch = sumOf(contents.unread(unread)) > limitBytes;
    if (isMuch)
      await this.#ask(
        [...contents.unread(unread)].filter(({ bytes }) => !known.hasLength(bytes)),
        sources,
      );
    const reading = hashFiles(contents.unread(unread), unread.length, {
      ...this.options,
      locate: sources.locate.bind(sources),
      onHashed: (bytes) => this.#progress.hashed(bytes),
    });
    const onRead = async ({ index, parts, ...read }: ReadFile): Promise<void> => {
      contents.set(index, read);
      if (parts) await known.cut({ sha256: read.sha256, bytes: read.stamp.size, parts });
    };
    if (!isMuch) return uploadWhileReading(reading, onRead, this.#uploadOptions(work));
    for await (const read of reading) await onRead(read);
  }

  #uploadOptions({ known, sources }: Work): UploadNewOptions {
    return {
      ...this.options,
      known,
      locate: sources.locate.bind(sources),
      onStored: ({ blobs, sentBytes }) => this.#count(sentBytes, sumOf(blobs)),
    };
  }

  async #cacheFile(): Promise<TreeCacheFile | undefined> {
    const { treeCacheDirectory, root } = this.options;
    return treeCacheDirectory === undefined ? undefined : new TreeCacheFile(treeCacheDirectory, await realpath(root));
  }

  /** What was named to be taken along whole was asked for. */
  async #ask(all: readonly SizedFile[], sources: Sources): Promise<void> {
    const { limitBytes = LIMIT_BYTES, confirm } = this.options;
    const files = all.filter(({ path }) => !sources.isUploaded(path));
    if (sumOf(files) <= limitBytes) return;
    const size = treeSize(files);
    if (!(await confirm?.(size))) throw treeTooLarge(size, limitBytes);
  }

  #count(sentBytes: number, contentBytes: number): void {
    if (sentBytes > 0) this.counted.objects++;
    this.counted.bytes += contentBytes;
    this.#progress.uploaded(contentBytes);
  }
}

/** That it cannot be kept costs time the next time, and nothing else. */
async function remember(
  cache: TreeCacheFile | undefined,
  tree: { readonly columns: Columns; readonly state: ManifestState },
): Promise<Notice[]> {
  try {
    await cache?.write(tree);
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ level: 'warning', text: `the state of the tree cannot be remembered, so all files are read again the next time: ${why}` }];
  }
}

/** The first file of each content that was read and that the bucket lacks. */
function newContents(contents: Contents, known: KnownBlobs): HashedFile[] {
  const first = new Map<string, HashedFile>();
  for (const index of contents.readIndexes()) {
    const sha256 = contents.hash(index);
    if (!known.holds(sha256) && !first.has(sha256)) first.set(sha256, contents.file(index));
  }
  return [...first.values()];
}

function* hashesOf(contents: Contents): Generator<string> {
  for (const index of contents.readIndexes()) yield contents.hash(index);
}

/** Objects in which this content lies, as far as it is known. */
function objectsWith(hashes: Iterable<string>, known: KnownBlobs): Set<string> {
  const objects = new Set<string>();
  for (const sha256 of hashes) {
    const found = known.find(sha256);
    if (found) for (const object of objectsOfBlob(found)) objects.add(object);
  }
  return objects;
}

function sumOf(files: Iterable<{ readonly bytes: number }>): number {
  let sum = 0;
  for (const { bytes } of files) sum += bytes;
  return sum;
}
