import { formatSize } from '../../../lib/contract';
import type { Clock } from '../../../lib/contract';
import type { CliIo } from '../../io';

/** After this long without the end of input we say what we wait for. */
const ANNOUNCE_AFTER_MS = 2_000;

/**
 * What the job reads from standard input: what was piped or redirected into us. A terminal and /dev/null hold nothing.
 * It is content that travels before the launch, so it has to end; when that takes long, `say` is told.
 */
export function pipedInput(
  io: Pick<CliIo, 'stdin' | 'clock'>,
  signal: AbortSignal,
  say: (text: string) => Promise<void>,
): AsyncIterable<Uint8Array> | undefined {
  return io.stdin.kind === 'none' ? undefined : announced(io.stdin.read(signal), io.clock, say);
}

async function* announced(
  source: AsyncIterable<Uint8Array>,
  clock: Clock,
  say: (text: string) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const ended = new AbortController();
  let bytes = 0;
  const notice = announceLater(clock, ended.signal, () =>
    say(
      `waiting for the end of standard input (${formatSize(bytes)} so far): the job gets all of it at its start. Without input for it, add </dev/null`,
    ),
  );
  try {
    for await (const chunk of source) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  } finally {
    ended.abort();
    await notice;
  }
}

async function announceLater(clock: Clock, ended: AbortSignal, announce: () => Promise<void>): Promise<void> {
  try {
    await clock.sleep(ANNOUNCE_AFTER_MS, ended);
  } catch (error) {
    if (ended.aborted) return;
    throw error;
  }
  await announce();
}
