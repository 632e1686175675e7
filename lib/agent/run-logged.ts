import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { formatDuration, hasCode, mapBounded, RawcloudError } from '../contract';
import type { Clock } from '../contract';

export interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly hide: (line: string) => string;
  /** Resolves when there is room for more. */
  readonly say: (line: string) => Promise<void>;
  readonly onLine?: (line: string) => void;
  /** @default - none */
  readonly timeoutMs?: number;
}

/** After its exit, what a program has written has come through the pipes in no time. What lives on and holds them is not waited for. */
const REST_MS = 500;

/**
 * Runs a program in a process group of its own, its lines to the environment log. All of the group is killed when it is to end, or takes
 * too long. @throws E_ENVIRONMENT
 */
export async function runLogged(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  const { cwd, env, signal, clock, timeoutMs } = options;
  signal.throwIfAborted();
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const end = (): void => killGroup(child);
  signal.addEventListener('abort', end, { once: true });
  const over = new AbortController();
  const isLate = timeoutMs === undefined ? Promise.resolve(false) : lateAfter(clock, timeoutMs, over.signal, end);
  try {
    const failure = await follow(child, options);
    over.abort();
    signal.throwIfAborted();
    const name = `${path.basename(command)} ${args[0] ?? ''}`.trim();
    if (await isLate) throw failed(`${name} took longer than ${formatDuration(timeoutMs! / 1000)}, and was ended`, { timedOut: true });
    if (failure) throw failed(`${name} ${failure.text}`, { exitCode: failure.code });
  } finally {
    over.abort();
    signal.removeEventListener('abort', end);
  }
}

function failed(text: string, data: Readonly<Record<string, unknown>>): RawcloudError {
  return new RawcloudError('E_ENVIRONMENT', text, { remedy: 'rawcloud logs --environment shows what it said.', data });
}

async function lateAfter(clock: Clock, ms: number, signal: AbortSignal, end: () => void): Promise<boolean> {
  const isLate = await clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
  if (isLate) end();
  return isLate;
}

/** To the program's end. @returns what it failed of */
async function follow(
  child: ChildProcess & { readonly stdout: Readable; readonly stderr: Readable },
  { hide, say, onLine, clock }: RunOptions,
): Promise<{ readonly text: string; readonly code: number | null } | undefined> {
  const pipes = [child.stdout, child.stderr];
  const readers = pipes.map((input) => createInterface({ input }));
  const readAll = mapBounded(readers, readers.length, async (reader) => {
    for await (const said of reader) {
      const line = hide(said);
      await say(line);
      onLine?.(line);
    }
  });
  const failure = await new Promise<{ text: string; code: number | null } | undefined>((resolve) => {
    child.once('error', ({ message }) => resolve({ text: message, code: null }));
    child.once('exit', (code, killed) => resolve(code === 0 ? undefined : { text: `exited with ${code ?? killed}`, code }));
  });
  await orLeave(readAll, readers, pipes, clock);
  return failure;
}

/** A server that a setup has started keeps the pipes: it may write on, and nobody listens. */
async function orLeave(read: Promise<unknown>, readers: readonly Interface[], pipes: readonly Readable[], clock: Clock): Promise<void> {
  const waited = new AbortController();
  const leaving = clock.sleep(REST_MS, waited.signal).then(
    () => {
      for (const reader of readers) reader.close();
      for (const pipe of pipes) pipe.resume();
    },
    () => undefined,
  );
  await read;
  waited.abort();
  await leaving;
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
