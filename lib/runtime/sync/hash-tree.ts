import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WalkedFile } from '../../capture/entries';
import { showPath } from '../../contract';
import type { BytePath, FileStamp } from '../../contract';
import { inOrder } from '../../store/in-order';
import { hashFile, readSmallFile, SMALL_FILE_ROOM } from '../../store/read-file';
import { ReaderThread } from '../../store/reading/thread';
import type { ReadAhead, ReadingOptions } from '../../store/reading/thread';

/** A file and the hash of what was read of it; length and stamp are those of that moment. */
export interface HashedFile extends WalkedFile {
  readonly sha256: string;
}

/** A file of a walk, by its place there. */
export interface Unread {
  readonly index: number;
  readonly path: BytePath;
  readonly bytes: number;
}

/** What was read; with the content of a small file, so that it is read once: it holds until the next one is asked for. */
export interface ReadFile {
  readonly index: number;
  readonly sha256: string;
  readonly stamp: FileStamp;
  readonly content?: Uint8Array;
  /** Whether the content may shrink, where that is known. */
  readonly shrinks?: boolean | undefined;
  /** Of a file that is stored part by part. */
  readonly parts?: readonly string[];
}

export interface HashOptions {
  /** What file system calls take for a path. */
  readonly locate: (path: BytePath) => string | Buffer;
  readonly signal?: AbortSignal;
  readonly onHashed?: (bytes: number) => void;
  /** Program of a {@link ReaderThread}, which reads many small files ahead. @default - all is read by this thread */
  readonly readerProgram?: string;
}

/** A thread takes as long to start as this many files to be read. */
const THREAD_PAYS_FILES = 2_000;

/** Large files hashed at once: one is read while the other is hashed. */
const LARGE_FILES = 2;

/** Bytes hashed between two looks at the event loop, some 5 ms. */
const TURN_BYTES = 4 * 2 ** 20;
/** A file without content takes time as well. */
const FILE_BYTES = 16 * 1024;

/**
 * Reads and hashes `count` files, small ones first and in the order given; what has gone meanwhile is left out. Small files are
 * read and hashed here and now, or hundreds at once by a thread: handing each to one costs more than its hash.
 * @throws E_FILE_CHANGED when one keeps changing while it is read; E_USAGE when one cannot be read
 */
export async function* hashFiles(files: Iterable<Unread>, count: number, options: HashOptions): AsyncGenerator<ReadFile> {
  const { signal, onHashed, readerProgram } = options;
  const large: Unread[] = [];
  const pays = readerProgram !== undefined && count >= THREAD_PAYS_FILES && availableParallelism() > 1;
  const thread = pays ? new ReaderThread(readerProgram) : undefined;
  let sinceTurn = 0;
  try {
    for await (const batch of thread ? thread.read(files, places(options)) : [readHere(files, options)]) {
      for (const { file, read, shrinks } of batch) {
        if (read.kind === 'large') large.push(file);
        if (read.kind !== 'read') continue;
        const bytes = read.bytes.byteLength;
        yield { index: file.index, sha256: read.sha256, stamp: read.stamp, content: read.bytes, shrinks };
        onHashed?.(bytes);
        sinceTurn += bytes + FILE_BYTES;
        if (sinceTurn < TURN_BYTES) continue;
        sinceTurn = 0;
        signal?.throwIfAborted();
        await nextTurn();
      }
    }
  } finally {
    await thread?.end();
  }
  for await (const read of inOrder(large, LARGE_FILES, (one) => hashLarge(one, options))) if (read) yield read;
}

function places({ locate }: HashOptions): ReadingOptions<Unread> {
  return { locate: ({ path }) => locate(path), nameOf: ({ path }) => showPath(path) };
}

/** Each when it is asked for. */
function* readHere(files: Iterable<Unread>, options: HashOptions): Generator<ReadAhead<Unread>> {
  const { locate, nameOf } = places(options);
  const room = Buffer.allocUnsafeSlow(SMALL_FILE_ROOM);
  for (const file of files) yield { file, read: readSmallFile(locate(file), nameOf(file), room) };
}

async function hashLarge({ index, path }: Unread, { locate, signal, onHashed }: HashOptions): Promise<ReadFile | undefined> {
  const options = { ...(signal ? { signal } : {}), ...(onHashed ? { onRead: onHashed } : {}) };
  const read = await hashFile(locate(path), showPath(path), options);
  return read && { index, sha256: read.sha256, stamp: read.stamp, ...(read.parts ? { parts: read.parts } : {}) };
}
