import { RawcloudError } from './errors';

/**
 * 'system' is what rawcloud itself says on the VM: notices, what does not work just now. 'environment' is how the environment came to
 * be, each line of the programs that built it included.
 */
export const LOG_STREAMS = ['stdout', 'stderr', 'system', 'environment'] as const;
export type LogStream = (typeof LOG_STREAMS)[number];

/** Consecutive bytes of one stream of one task; `offset` counts from the stream's first byte. */
export interface LogRun {
  readonly stream: LogStream;
  readonly task: number;
  readonly epoch: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/*
 * A chunk, as stored:
 *
 *   rawcloud-log 1 <number of runs>\n
 *   <stream> <task> <epoch> <offset> <length>\n     once per run
 *   \n
 *   the runs' bytes, one after the other
 *
 * The header is text so that `aws s3 cp … -` shows something a person can read. Both streams share one
 * object because a PUT costs the same for one as for the other. Runs stand in the order in which the bytes
 * were read: exact within a stream, as read between streams.
 */
const MAGIC = 'rawcloud-log 1 ';

/** A chunk's bytes. */
export function encodeLogChunk(runs: readonly LogRun[]): Uint8Array {
  const header = [
    `${MAGIC}${runs.length}`,
    ...runs.map((r) => `${r.stream} ${r.task} ${r.epoch} ${r.offset} ${r.bytes.byteLength}`),
    '',
    '',
  ].join('\n');
  return Buffer.concat([Buffer.from(header, 'latin1'), ...runs.map((r) => r.bytes)]);
}

/** @throws E_INTEGRITY when the bytes are not a whole chunk */
export function decodeLogChunk(chunk: Uint8Array): LogRun[] {
  const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const end = buffer.indexOf('\n\n', 0, 'latin1');
  const lines = end < 0 ? [] : buffer.toString('latin1', 0, end).split('\n');
  const count = lines[0]?.startsWith(MAGIC) ? Number(lines[0].slice(MAGIC.length)) : -1;
  if (count !== lines.length - 1) throw broken('its header is not a log header');
  let at = end + 2;
  const runs = lines.slice(1).map((line): LogRun => {
    const [stream, task, epoch, offset, length] = line.split(' ');
    const bytes = buffer.subarray(at, at + Number(length));
    at += Number(length);
    if (!LOG_STREAMS.includes(stream as LogStream) || !Number.isSafeInteger(at)) throw broken(`run '${line}' makes no sense`);
    return { stream: stream as LogStream, task: Number(task), epoch: Number(epoch), offset: Number(offset), bytes };
  });
  if (at !== buffer.byteLength) throw broken(`it announces ${at} bytes and has ${buffer.byteLength}`);
  return runs;
}

function broken(why: string): RawcloudError {
  return new RawcloudError('E_INTEGRITY', `a log chunk is damaged: ${why}`);
}
