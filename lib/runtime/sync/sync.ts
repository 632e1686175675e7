import { realpath } from 'node:fs/promises';
import { walkTree } from '../../capture/walk';
import type { WalkEntry, WalkOptions } from '../../capture/walk';
import { bucketKeys, isRawcloudError } from '../../contract';
import type { EventData, Notice, Ref, Store, Tree } from '../../contract';
import { encodeTree } from '../../store/tree-codec';
import type { TreeSize } from '../api';
import { Contents, isStored } from './contents';
import { hashFiles } from './hash-tree';
import type { HashedFile, Unread } from './hash-tree';
import { KnownBlobs } from './known';
import { buildManifest } from './manifest';
import { Progress } from './progress';
import { TreeCacheFile } from './tree-cache/file';
import { Snapshot } from './tree-cache/snapshot';
import { treeSize, treeTooLarge } from './tree-size';
import type { SizedFile } from './tree-size';
import { uploadNewFiles, uploadWhileReading } from './upload-new';
import type { UploadNewOptions } from './upload-new';

export { uploadContent, uploadStream } from './content';

export interface MeasureOptions extends WalkOptions {
  /** Root of the tree, absolute. */
  readonly root: string;
}

export interface SyncOptions extends MeasureOptions {
  readonly store: Store;
  /** What this client believes to be in this bucket; made when it is not there. */
  readonly cacheFile: string;
  /** Where this client keeps what trees looked like when they were synchronized with this bucket. @default - files are always read */
  readonly treeCacheDirectory?: string;
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
  readonly manifest: Tree;
  readonly size: TreeSize;
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
  const { entries, notices } = await walkTree(options.root, options);
  return { size: treeSize(entries.filter(isFile)), notices };
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

function isFile(entry: WalkEntry): entry is Extract<WalkEntry, { type: 'file' }> {
  return entry.type === 'file';
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
    const [walked, known, cached] = await Promise.all([walkTree(options.root, options), KnownBlobs.load(options), cache?.read()]);
    const contents = new Contents(walked.entries, cached?.snapshot);
    await known.verify(contents.objects(known));
    await this.#bring(contents, known);

    const files = contents.files();
    const manifest = buildManifest(walked.entries, new Map(files.map((file) => [file.path, file])), (sha256) => known.find(sha256));
    const tree = await this.#storeManifest(manifest, known);
    const notices = [...walked.notices, ...(await remember(cache, Snapshot.of(contents.snapshotEntries(startedAt))))];
    this.#progress.begin('done');
    const size = treeSize(files);
    return {
      tree,
      manifest,
      size,
      newBytes: this.counted.bytes,
      totalBytes: size.bytes,
      uploadedObjects: this.counted.objects,
      notices,
    };
  }

  /** Brings into the bucket what it lacks of the files' content. */
  async #bring(contents: Contents, known: KnownBlobs): Promise<void> {
    const unread = contents.takeUnread(known);
    this.#progress.begin('hash', unread.length);
    await this.#read(unread, contents, known);
    // What was found to be there was perhaps not seen for long.
    await known.verify(contents.objects(known));
    const fresh = newContents(contents.files(), known);
    await this.#ask(fresh);
    this.#progress.begin('upload', contents.files().length, this.counted.bytes + sumOf(fresh));
    await uploadNewFiles(fresh, this.#uploadOptions(known));
  }

  /** Reads and hashes; when it is not so much that somebody is to be asked first, small files are sent on the way. */
  async #read(unread: readonly Unread[], contents: Contents, known: KnownBlobs): Promise<void> {
    const { limitBytes = LIMIT_BYTES } = this.options;
    const found = unread.map(({ file }) => file);
    // Content of a length that the bucket does not hold is surely new: no need to hash a terabyte before asking.
    await this.#ask(found.filter(({ bytes }) => !known.hasLength(bytes)));
    const reading = hashFiles(unread, { ...this.options, onHashed: (bytes) => this.#progress.hashed(bytes) });
    const onRead = ({ index, file }: { index: number; file: HashedFile }): void => contents.set(index, file);
    if (sumOf(found) <= limitBytes) return uploadWhileReading(reading, onRead, this.#uploadOptions(known));
    for await (const read of reading) onRead(read);
  }

  #uploadOptions(known: KnownBlobs): UploadNewOptions {
    return { ...this.options, known, onStored: ({ blobs, sentBytes }) => this.#count(sentBytes, sumOf(blobs)) };
  }

  async #cacheFile(): Promise<TreeCacheFile | undefined> {
    const { treeCacheDirectory, root } = this.options;
    return treeCacheDirectory === undefined ? undefined : new TreeCacheFile(treeCacheDirectory, await realpath(root));
  }

  async #ask(files: readonly SizedFile[]): Promise<void> {
    const { limitBytes = LIMIT_BYTES, confirm } = this.options;
    if (sumOf(files) <= limitBytes) return;
    const size = treeSize(files);
    if (!(await confirm?.(size))) throw treeTooLarge(size, limitBytes);
  }

  #count(sentBytes: number, contentBytes: number): void {
    if (sentBytes > 0) this.counted.objects++;
    this.counted.bytes += contentBytes;
    this.#progress.uploaded(contentBytes);
  }

  async #storeManifest(manifest: Tree, known: KnownBlobs): Promise<Ref> {
    const { bytes, sha256 } = await encodeTree(manifest);
    await known.verify(known.hasObject(sha256) ? [sha256] : []);
    if (!known.hasObject(sha256)) {
      const put = await this.options.store.put(bucketKeys.file(sha256), bytes, {
        if: 'absent',
        ...(this.options.signal ? { signal: this.options.signal } : {}),
      });
      if (put !== 'lost') this.counted.objects++;
      await known.stored(sha256, []);
    }
    return { sha256, bytes: bytes.byteLength };
  }
}

/** That it cannot be kept costs time the next time, and nothing else. */
async function remember(cache: TreeCacheFile | undefined, snapshot: Snapshot): Promise<Notice[]> {
  try {
    await cache?.write({ snapshot, state: {} });
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ level: 'warning', text: `the state of the tree cannot be remembered, so all files are read again the next time: ${why}` }];
  }
}

/** The first file of each content that the bucket lacks. */
function newContents(files: readonly HashedFile[], known: KnownBlobs): HashedFile[] {
  const first = new Map<string, HashedFile>();
  for (const file of files) {
    if (!isStored(known, file.sha256) && !first.has(file.sha256)) first.set(file.sha256, file);
  }
  return [...first.values()];
}

function sumOf(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
