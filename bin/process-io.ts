import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { systemClock } from '../lib/contract/clock';
import type { LoadBundle } from './load-bundle';
import type { CliIo, SignalName, Signals, StandardInput, Terminal } from './io';

const STDIN = 0;
const STDOUT = 1;

const SIGNALS: readonly SignalName[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The real world. Loads nothing heavy before it is asked for. */
export function processIo(process: NodeJS.Process, load: LoadBundle): CliIo {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: standardInput(process),
    // Looked at when it is asked for: to touch standard input costs time at every start.
    get terminal() {
      return isatty(STDIN) && isatty(STDOUT) ? terminalOf(process) : undefined;
    },
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    signals: signalsOf(process),
    connect: async (options) => (await load('backend')).connect(options),
    environmentHere: async (options) => (await load('backend')).environmentHere(options),
    openDoctor: async (options) => (await load('admin')).openDoctor(options),
    openExec: async (options) => (await load('exec')).openExec(options),
    openDeployment: async (options) => (await load('admin')).openDeployment(options),
    openDestruction: async (options) => (await load('admin')).openDestruction(options),
    localCloud: async () => (await load('backend')).localCloud(process.env),
  };
}

function signalsOf(process: NodeJS.Process): Signals {
  return {
    listen: (listener) => {
      const undo = SIGNALS.map((name) => {
        const handler = () => listener(name);
        process.on(name, handler);
        return () => process.removeListener(name, handler);
      });
      return () => undo.forEach((remove) => remove());
    },
  };
}

function terminalOf({ stdin, stdout }: NodeJS.Process): Terminal {
  return {
    makeRaw() {
      stdin.setRawMode(true);
      const restore = (): void => void stdin.setRawMode(false);
      process.once('exit', restore);
      return () => {
        process.removeListener('exit', restore);
        restore();
      };
    },
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    onResize: (listener) => {
      stdout.on('resize', listener);
      return () => stdout.removeListener('resize', listener);
    },
  };
}

function standardInput(process: NodeJS.Process): StandardInput {
  return {
    get kind() {
      return stdinKind();
    },
    get isTTY() {
      return isatty(STDIN);
    },
    read: (signal) => readStdin(process, signal),
    ask: (prompt, signal) => askTerminal(process, prompt, signal),
  };
}

/** Only what holds bytes is input: a terminal or /dev/null (character devices) and a closed descriptor mean none. */
function stdinKind(): StandardInput['kind'] {
  try {
    const stat = fstatSync(STDIN);
    if (stat.isFIFO()) return 'pipe';
    if (stat.isFile()) return 'file';
    return stat.isSocket() ? 'socket' : 'none';
  } catch {
    // EBADF: the caller closed it (`<&-`).
    return 'none';
  }
}

async function askTerminal(process: NodeJS.Process, prompt: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  // Not as `terminal`: readline would take Ctrl-C for itself, and the answer would be waited for in vain.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return await Promise.race([lines.question(prompt, { signal }), ended]);
  } finally {
    lines.close();
  }
}

async function* readStdin(process: NodeJS.Process, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { addAbortSignal } = await import('node:stream');
  yield* addAbortSignal(signal, process.stdin) as AsyncIterable<Uint8Array>;
}
