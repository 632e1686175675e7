import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { MachineEntrance } from '../../contract';

/** What runs in a terminal of a machine. */
export interface MachineTerminal {
  readonly output: AsyncIterable<Uint8Array>;
  /** Resolves when the terminal has taken it. */
  input(bytes: Uint8Array): Promise<void>;
  resize(columns: number, rows: number): void;
  /** Takes the terminal away: SIGHUP to all that is in it. */
  kill(): void;
  readonly exited: Promise<void>;
}

/**
 * Starts a shell's words in a terminal of a machine, as the SSM agent does: echo on, 8 bits, no size. `script` of util-linux
 * makes it, since Node has no terminals; how large it is, is told to the terminal itself, by its name.
 */
export function openTerminal(entrance: MachineEntrance, commands: string): MachineTerminal {
  const named = `tty >&3; exec 3>&-; ${commands}`;
  const child = within(entrance, ['script', '-q', '-f', '-E', 'always', '-c', named, '/dev/null'], ['pipe', 'pipe', 'ignore', 'pipe']);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const name = nameOf(child);
  // Who ends first does not matter.
  child.stdin!.on('error', () => undefined);
  return {
    output: child.stdout as AsyncIterable<Uint8Array>,
    async input(bytes) {
      if (!child.stdin!.writable || child.stdin!.write(bytes)) return;
      await Promise.race([once(child.stdin!, 'drain'), exited]);
    },
    resize: (columns, rows) => void resize(entrance, name, columns, rows),
    kill: () => killGroup(child),
    exited,
  };
}

function within({ prefix, env, cwd }: MachineEntrance, words: readonly string[], stdio: ('pipe' | 'ignore')[]): ChildProcess {
  const [file, ...args] = [...prefix, ...words] as [string, ...string[]];
  // A process group of its own, to be ended as one.
  return spawn(file, args, { cwd, env: { ...env, SHELL: '/bin/sh', TERM: 'xterm-256color' }, stdio, detached: true });
}

/** Its first line there; '' when it did not start. */
async function nameOf(child: ChildProcess): Promise<string> {
  const said = child.stdio[3] as Readable;
  const lines = createInterface({ input: said });
  const name = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
  said.destroy();
  return typeof name[0] === 'string' ? name[0] : '';
}

async function resize(entrance: MachineEntrance, name: Promise<string>, columns: number, rows: number): Promise<void> {
  const terminal = await name;
  if (!terminal.startsWith('/dev/')) return;
  const child = within(
    entrance,
    ['stty', '-F', terminal, 'columns', String(columns), 'rows', String(rows)],
    ['ignore', 'ignore', 'ignore'],
  );
  child.on('error', () => undefined);
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
