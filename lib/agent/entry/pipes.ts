import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFrame, FrameReader, hasCode } from '../../contract';
import type { ExecResult, Frame } from '../../contract';
import { describeExit } from '../exit';
import type { Entered } from './enter';

const STDOUT = 1;
/** After the command's end: what it left behind may hold its output open for ever. */
const LAST_OUTPUT_MS = 500;
/** Session Manager ends sessions in which nothing happens. */
const ALIVE_MS = 60_000;
const HANGUP_MS = 500;

/**
 * With pipes, in a process group of its own: what comes is its input and signals for it, what goes its output, in frames over
 * a terminal that is raw.
 */
export async function runWithPipes({ invocation, over, started }: Entered): Promise<ExecResult> {
  const { file, args, env, cwd } = invocation;
  const child = spawn(file, args, { cwd, env, stdio: 'pipe', detached: true });
  if (child.pid !== undefined) started(child.pid);
  const signal = (name: string): void => signalGroup(child, name);
  process.on('SIGHUP', () => signal('SIGKILL'));
  over.addEventListener('abort', () => hangUp(signal), { once: true });
  readInput(child, signal);
  const alive = setInterval(() => write('alive'), ALIVE_MS);
  try {
    return await ended(child);
  } finally {
    clearInterval(alive);
    process.stdin.destroy();
  }
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<ExecResult> {
  child.stdout.on('data', (bytes: Buffer) => write('stdout', bytes));
  child.stderr.on('data', (bytes: Buffer) => write('stderr', bytes));
  const closed = once(child, 'close').catch(() => undefined);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    await Promise.race([closed, sleep(LAST_OUTPUT_MS, undefined, { ref: false })]);
    return { code: describeExit({ code, signal, ended: undefined, memoryRanOut: false }).code };
  } catch (error) {
    return { code: 126, message: error instanceof Error ? error.message : String(error) };
  }
}

function readInput(child: ChildProcessWithoutNullStreams, signal: (name: string) => void): void {
  const reader = new FrameReader();
  // Who does not read to the end loses nothing but the rest.
  child.stdin.on('error', () => undefined);
  child.stdin.on('drain', () => process.stdin.resume());
  process.stdin.on('data', (bytes: Buffer) => {
    for (const frame of reader.push(bytes)) take(frame, child, signal);
  });
  // The terminal is gone: the client is.
  process.stdin.on('error', () => signal('SIGKILL'));
  process.stdin.on('end', () => signal('SIGKILL'));
}

function take(frame: Frame, child: ChildProcessWithoutNullStreams, signal: (name: string) => void): void {
  if (frame.kind === 'input' && child.stdin.writable && !child.stdin.write(frame.bytes)) process.stdin.pause();
  if (frame.kind === 'end-of-input') child.stdin.end();
  if (frame.kind === 'signal') signal(Buffer.from(frame.bytes).toString());
}

function write(kind: Frame['kind'], bytes?: Uint8Array): void {
  try {
    writeAll(Buffer.from(encodeFrame(kind, bytes)));
  } catch (error) {
    if (!hasCode(error, 'EIO', 'EPIPE')) throw error;
  }
}

/** To the end, whatever it takes: a terminal takes 4 KiB at once. */
function writeAll(bytes: Buffer): void {
  for (let at = 0; at < bytes.byteLength;) {
    try {
      at += writeSync(STDOUT, bytes, at);
    } catch (error) {
      if (!hasCode(error, 'EAGAIN')) throw error;
    }
  }
}

const SIGNALS: readonly string[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGKILL'] satisfies NodeJS.Signals[];

function signalGroup({ pid }: ChildProcessWithoutNullStreams, name: string): void {
  const signal = SIGNALS.find((known) => known === name);
  if (pid === undefined || signal === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH', 'EPERM')) throw error;
  }
}

function hangUp(signal: (name: string) => void): void {
  signal('SIGHUP');
  setTimeout(() => signal('SIGKILL'), HANGUP_MS).unref();
}
