import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** What is run, as the agent hands it out: the job's user, environment and working directory are in it. */
export interface Handed {
  readonly invocation?: {
    readonly file: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
  };
  /** Instead of an invocation. */
  readonly refused?: { readonly code: number; readonly message: string };
  /** The job has ended. */
  readonly over?: true;
}

/** What the way in tells the agent. */
export interface Asked {
  readonly token?: string;
  readonly argv?: readonly string[];
  /** Value of TERM. */
  readonly term?: string;
  /** What was started leads a process group of this number. */
  readonly group?: number;
  /** It has ended by itself; what it left behind may live on. */
  readonly done?: true;
}

export function writeLine(socket: Socket, value: Handed | Asked): void {
  if (socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}

/** Values, a line each, until the other side is gone; a line that is none ends it as well. */
export async function* readLines<T extends object>(socket: Socket): AsyncGenerator<T> {
  for await (const line of createInterface({ input: socket })) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    yield value as T;
  }
}
