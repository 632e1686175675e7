import { Worker } from 'node:worker_threads';
import type { FileStamp } from '../../contract';
import { readSmallFile } from '../read-file';
import type { SmallFile } from '../read-file';

/*
 * Of a tree of many small files, opening, reading and hashing them takes as long as all else that is done with them. A thread
 * does it ahead, in the order given. It reads what lies there quietly; a file that is gone, changes, is too long or cannot be
 * read it leaves to this thread, which has the words for it.
 */

export const STAMP_NUMBERS = 4;

export interface Question {
  /** As file system calls take them. */
  readonly files: readonly (string | Uint8Array)[];
  readonly room: Uint8Array<ArrayBuffer>;
}

export interface Answer {
  /** SHA-256 of each file, or nothing of one that was left. */
  readonly hashes: readonly (string | undefined)[];
  /** {@link STAMP_NUMBERS} a file: inode, size, mtime, ctime. */
  readonly stamps: Float64Array;
  /** 1 of what may shrink. */
  readonly shrinking: Uint8Array;
  /** Contents of those that were read, one after the other. */
  readonly room: Uint8Array<ArrayBuffer>;
}

/** A file, and what was read of it. */
export interface ReadAhead<T> {
  readonly file: T;
  readonly read: SmallFile;
  /** Whether its content may shrink, where that is known. */
  readonly shrinks?: boolean;
}

export interface ReadableFile {
  /** As it was when it was last looked at. */
  readonly bytes: number;
}

export interface ReadingOptions<T> {
  readonly locate: (file: T) => string | Buffer;
  readonly nameOf: (file: T) => string;
}

/** Room for the files of one question. */
const ROOM_BYTES = 2 * 2 ** 20;
/** Files of one question: those without content take time as well. */
const FILES = 512;
/** Longer ones take the thread's time and none of the calls that it is there for. */
const LONGEST_BYTES = 2 ** 20;
/** Questions under way at once: while one is worked on here, the next is read and another one waits. */
const AHEAD = 3;

export class ReaderThread {
  readonly #worker: Worker;
  readonly #waiting: ((answer: Answer | undefined) => void)[] = [];
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #hasEnded = false;

  /** @param program file that is made of serve.ts */
  constructor(program: string) {
    this.#worker = new Worker(program, { argv: [], resourceLimits: { maxYoungGenerationSizeMb: 4 } });
    this.#worker.on('message', (answer: Answer) => this.#waiting.shift()?.(answer));
    // A machine that has no thread to give, or no memory for one: everything is read by this thread, as without one.
    this.#worker.on('error', () => this.#leave());
    this.#worker.on('exit', () => this.#leave());
  }

  /** Reads small files in the order given, some of them ahead. What was read of one holds until the next is asked for. */
  async *read<T extends ReadableFile>(files: Iterable<T>, options: ReadingOptions<T>): AsyncGenerator<Iterable<ReadAhead<T>>> {
    const asked: { batch: readonly T[]; answer: Promise<Answer | undefined> }[] = [];
    for (const batch of batchesOf(files)) {
      asked.push({ batch, answer: this.#ask(batch, options) });
      if (asked.length >= AHEAD) yield* this.#take(asked.shift()!, options);
    }
    for (const one of asked) yield* this.#take(one, options);
  }

  async *#take<T extends ReadableFile>(
    { batch, answer }: { batch: readonly T[]; answer: Promise<Answer | undefined> },
    options: ReadingOptions<T>,
  ): AsyncGenerator<Iterable<ReadAhead<T>>> {
    const answered = await answer;
    yield readOf(batch, answered, options);
    if (answered) this.#spare.push(answered.room);
  }

  #ask<T extends ReadableFile>(batch: readonly T[], { locate }: ReadingOptions<T>): Promise<Answer | undefined> {
    if (this.#hasEnded) return Promise.resolve(undefined);
    const question: Question = {
      files: batch.map((file) => (isForThread(file) ? locate(file) : '')),
      room: this.#spare.pop() ?? new Uint8Array(ROOM_BYTES),
    };
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(question, [question.room.buffer]);
    });
  }

  #leave(): void {
    this.#hasEnded = true;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  /** Nothing is read any more once it resolves. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

function isForThread({ bytes }: ReadableFile): boolean {
  return bytes <= LONGEST_BYTES;
}

function* batchesOf<T extends ReadableFile>(files: Iterable<T>): Generator<readonly T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const file of files) {
    // One more, by which it is seen that a file has grown.
    const needed = isForThread(file) ? file.bytes + 1 : 0;
    if (batch.length >= FILES || bytes + needed > ROOM_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += needed;
  }
  if (batch.length > 0) yield batch;
}

function* readOf<T>(batch: readonly T[], answer: Answer | undefined, { locate, nameOf }: ReadingOptions<T>): Generator<ReadAhead<T>> {
  let end = 0;
  for (const [at, file] of batch.entries()) {
    const sha256 = answer?.hashes[at];
    if (!answer || sha256 === undefined) {
      yield { file, read: readSmallFile(locate(file), nameOf(file)) };
      continue;
    }
    const stamp = stampAt(answer.stamps, at);
    const bytes = answer.room.subarray(end, (end += stamp.size));
    yield { file, read: { kind: 'read', bytes, sha256, stamp }, shrinks: answer.shrinking[at] === 1 };
  }
}

function stampAt(stamps: Float64Array, at: number): FileStamp {
  const row = at * STAMP_NUMBERS;
  return { inode: stamps[row]!, size: stamps[row + 1]!, mtimeMs: stamps[row + 2]!, ctimeMs: stamps[row + 3]! };
}
