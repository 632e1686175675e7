import { bucketKeys, RawcloudError, showPath } from '../../contract';
import type { BytePath, Store } from '../../contract';
import { uploadLargeBlobs, uploadSmallBlobs } from '../../store/blob-upload';
import type { SmallBlob, StoredObject, UploadOptions } from '../../store/blob-upload';
import { SMALL_BLOB_BYTES } from '../../store/packs';
import { readSmallFile } from '../../store/read-file';
import type { HashedFile, ReadFile } from './hash-tree';
import type { KnownBlobs } from './known';

export interface UploadNewOptions {
  readonly store: Store;
  readonly locate: (path: BytePath) => string | Buffer;
  readonly known: KnownBlobs;
  readonly signal?: AbortSignal;
  readonly onStored: (stored: StoredObject) => void;
}

/** Uploads small files as they are read and hashed, each new content once, and hands on everything that was read. */
export async function uploadWhileReading(
  files: AsyncIterable<ReadFile>,
  onRead: (read: ReadFile) => Promise<void>,
  options: UploadNewOptions,
): Promise<void> {
  /** On its way: what has arrived is known. */
  const sent = new Set<string>();
  async function* fresh(): AsyncGenerator<SmallBlob> {
    for await (const read of files) {
      await onRead(read);
      const { sha256 } = read;
      if (!read.content || options.known.holds(sha256) || sent.has(sha256)) continue;
      sent.add(sha256);
      yield { sha256, bytes: read.content, shrinks: read.shrinks };
    }
  }
  const onStored = (stored: StoredObject): void => {
    for (const { sha256 } of stored.blobs) sent.delete(sha256);
    options.onStored(stored);
  };
  await uploadSmallBlobs(fresh(), uploadOptions({ ...options, onStored }));
}

/**
 * Uploads files with new content that were read before, each content given once. What has been stored is known at once: an
 * upload that is broken off goes on where it was.
 * @throws E_FILE_CHANGED when one is no longer what was hashed
 */
export async function uploadNewFiles(files: readonly HashedFile[], options: UploadNewOptions): Promise<void> {
  const { locate, known } = options;
  const isSmall = ({ bytes }: HashedFile): boolean => bytes < SMALL_BLOB_BYTES;
  await uploadSmallBlobs(contents(files.filter(isSmall), locate), uploadOptions(options));
  const large = files.filter((file) => !isSmall(file));
  await uploadLargeBlobs(
    large.map(({ sha256, bytes, path }) => {
      const parts = known.partsOf(sha256);
      return { sha256, bytes, ...(parts ? { parts } : {}), file: locate(path), name: showPath(path) };
    }),
    { ...uploadOptions(options), isThere: (object) => known.isSeen(object) },
  );
}

function uploadOptions({ locate: _locate, known, onStored, ...options }: UploadNewOptions): UploadOptions {
  return {
    ...options,
    keyOf: bucketKeys.file,
    onSending: (object, blobs) => known.sending(object, blobs),
    onStored: async (stored) => {
      await known.stored(stored.object, stored.blobs);
      onStored(stored);
    },
  };
}

function* contents(files: readonly HashedFile[], locate: UploadNewOptions['locate']): Generator<SmallBlob> {
  for (const { sha256, path } of files) yield { sha256, bytes: readAgain(locate, path, sha256) };
}

function readAgain(locate: UploadNewOptions['locate'], path: BytePath, sha256: string): Uint8Array {
  const read = readSmallFile(locate(path), showPath(path));
  if (read.kind === 'read' && read.sha256 === sha256) return read.bytes;
  throw new RawcloudError('E_FILE_CHANGED', `${showPath(path)} changed while the tree was being uploaded`, {
    remedy: 'Wait until nothing writes to it, or leave it out with a line in .rawcloudignore.',
    retryable: true,
    data: { path: showPath(path) },
  });
}
