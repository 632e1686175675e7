import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WalkEntry } from '../../capture/walk';
import { fsPath, mapBounded, showPath } from '../../contract';
import { hashFile, readSmallFile } from '../../store/read-file';

type WalkedFile = Extract<WalkEntry, { type: 'file' }>;

/** A file and the hash of what was read of it. */
export interface HashedFile extends WalkedFile {
  readonly sha256: string;
  /** Kept for the upload, so that small files are read once. */
  readonly content?: Uint8Array;
}

export interface HashOptions {
  readonly root: string;
  /** Whether the content of this hash is to be uploaded. */
  readonly isNew: (sha256: string) => boolean;
  readonly signal?: AbortSignal;
  readonly onHashed?: (bytes: number) => void;
}

/** Content kept in memory; what goes beyond is read again. */
const KEPT_BYTES = 128 * 2 ** 20;

/** Large files hashed at once: one is read while the other is hashed. */
const LARGE_FILES = 2;

/** Bytes hashed between two looks at the event loop, some 5 ms. */
const TURN_BYTES = 4 * 2 ** 20;
/** A file without content takes time as well. */
const FILE_BYTES = 16 * 1024;

/**
 * Reads and hashes files, in the order given; what has gone meanwhile is left out.
 * @throws E_FILE_CHANGED when one keeps changing while it is read; E_USAGE when one cannot be read
 */
export async function hashFiles(files: readonly WalkedFile[], options: HashOptions): Promise<HashedFile[]> {
  const hashed = new Array<HashedFile | undefined>(files.length);
  const large: number[] = [];
  const kept = { bytes: 0, hashes: new Set<string>() };
  let sinceTurn = 0;
  for (const [index, file] of files.entries()) {
    const read = readSmallFile(fsPath(options.root, file.path), showPath(file.path));
    if (read.kind === 'large') large.push(index);
    if (read.kind !== 'read') continue;
    hashed[index] = { ...file, bytes: read.bytes.byteLength, sha256: read.sha256, ...keep(read, kept, options) };
    options.onHashed?.(read.bytes.byteLength);
    sinceTurn += read.bytes.byteLength + FILE_BYTES;
    if (sinceTurn < TURN_BYTES) continue;
    sinceTurn = 0;
    options.signal?.throwIfAborted();
    await nextTurn();
  }
  await mapBounded(
    large,
    LARGE_FILES,
    async (index, _at, signal) => {
      const file = files[index]!;
      const read = await hashFile(fsPath(options.root, file.path), showPath(file.path), signal);
      if (read) hashed[index] = { ...file, ...read };
      options.onHashed?.(read?.bytes ?? 0);
    },
    options.signal ? { signal: options.signal } : {},
  );
  return hashed.filter((file) => file !== undefined);
}

function keep(
  { bytes, sha256 }: { readonly bytes: Uint8Array; readonly sha256: string },
  kept: { bytes: number; readonly hashes: Set<string> },
  { isNew }: HashOptions,
): { content?: Uint8Array } {
  if (kept.bytes + bytes.byteLength > KEPT_BYTES || kept.hashes.has(sha256) || !isNew(sha256)) return {};
  kept.bytes += bytes.byteLength;
  kept.hashes.add(sha256);
  return { content: bytes };
}
