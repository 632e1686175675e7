import type { LogRun, LogStream } from '../contract';

/** Output that belongs together is held in pieces of up to this many bytes: each has a line in the chunk's header. */
const RUN_BYTES = 64 * 1024;
/** A piece of at least this size is held as it came, not copied. */
const AS_IT_CAME_BYTES = 16 * 1024;
/** What a piece costs in memory besides its bytes; counted, so that many small ones are bounded too. */
const RUN_OVERHEAD_BYTES = 256;

interface Held {
  readonly stream: LogStream;
  readonly task: number;
  readonly epoch: number;
  readonly offset: number;
  buffer: Uint8Array;
  length: number;
}

/** Output that waits to be shipped, in the order in which it was read. */
export class HeldOutput {
  #runs: Held[] = [];
  #bytes = 0;
  readonly #offsets = new Map<string, number>();

  /** Bytes of output. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of memory, about. */
  get weight(): number {
    return this.#bytes + this.#runs.length * RUN_OVERHEAD_BYTES;
  }

  add(stream: LogStream, bytes: Uint8Array, task: number, epoch: number): void {
    if (bytes.byteLength === 0) return;
    const source = `${stream} ${task} ${epoch}`;
    const offset = this.#offsets.get(source) ?? 0;
    this.#offsets.set(source, offset + bytes.byteLength);
    this.#bytes += bytes.byteLength;
    const last = this.#runs.at(-1);
    const continues = last?.stream === stream && last.task === task && last.epoch === epoch;
    if (continues && last.length + bytes.byteLength <= RUN_BYTES) append(last, bytes);
    else this.#runs.push(hold({ stream, task, epoch, offset }, bytes));
  }

  /** Takes the oldest runs, `limit` bytes at most but for a single one that is longer. */
  take(limit: number): LogRun[] {
    let bytes = 0;
    const count = this.#runs.findIndex((run) => (bytes += run.length) > limit);
    const taken = this.#runs.splice(0, count < 0 ? this.#runs.length : Math.max(1, count));
    const runs = taken.map(({ stream, task, epoch, offset, buffer, length }): LogRun => {
      return { stream, task, epoch, offset, bytes: buffer.subarray(0, length) };
    });
    this.#bytes -= runs.reduce((sum, run) => sum + run.bytes.byteLength, 0);
    return runs;
  }
}

function hold(run: Pick<Held, 'stream' | 'task' | 'epoch' | 'offset'>, bytes: Uint8Array): Held {
  if (bytes.byteLength >= AS_IT_CAME_BYTES) return { ...run, buffer: bytes, length: bytes.byteLength };
  return append({ ...run, buffer: Buffer.allocUnsafeSlow(RUN_OVERHEAD_BYTES), length: 0 }, bytes);
}

/** Into the piece's own memory, which doubles: output in single bytes is copied a few times, not thousands. */
function append(run: Held, bytes: Uint8Array): Held {
  const needed = run.length + bytes.byteLength;
  if (needed > run.buffer.byteLength) {
    const grown = Buffer.allocUnsafeSlow(Math.min(RUN_BYTES, Math.max(needed, 2 * run.buffer.byteLength)));
    grown.set(run.buffer.subarray(0, run.length));
    run.buffer = grown;
  }
  run.buffer.set(bytes, run.length);
  run.length = needed;
  return run;
}
