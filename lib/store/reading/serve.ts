import { parentPort } from 'node:worker_threads';
import { mayShrink } from '../compress';
import { readSmallFile } from '../read-file';
import type { SmallFile } from '../read-file';
import { STAMP_NUMBERS } from './thread';
import type { Answer, Question } from './thread';

/* The program of a {@link ReaderThread}: reads what it is asked for until it is ended. */

parentPort!.on('message', (question: Question) => {
  const answer = read(question);
  parentPort!.postMessage(answer, [answer.room.buffer]);
});

/** Contents one after the other. What is not plainly read is left out. */
function read({ files, room }: Question): Answer {
  const hashes: (string | undefined)[] = [];
  const stamps = new Float64Array(STAMP_NUMBERS * files.length);
  const shrinking = new Uint8Array(files.length);
  let end = 0;
  for (const [at, file] of files.entries()) {
    const found = readOrLeave(file, Buffer.from(room.buffer, end));
    hashes.push(found?.sha256);
    if (!found) continue;
    const { inode, size, mtimeMs, ctimeMs } = found.stamp;
    stamps.set([inode, size, mtimeMs, ctimeMs], STAMP_NUMBERS * at);
    shrinking[at] = mayShrink(found.bytes) ? 1 : 0;
    end += found.bytes.byteLength;
  }
  return { hashes, stamps, shrinking, room };
}

/** Whoever asked reads such a file once more, and says what is wrong with it. */
function readOrLeave(file: string | Uint8Array, room: Buffer): Extract<SmallFile, { kind: 'read' }> | undefined {
  try {
    const found = readSmallFile(typeof file === 'string' ? file : Buffer.from(file), '', room);
    return found.kind === 'read' ? found : undefined;
  } catch {
    return undefined;
  }
}
