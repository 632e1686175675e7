import { readSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { decodeJson, encodeFrame, encodeTrailer, ExecRequestSchema, FrameReader, HELLO } from '../../contract';
import type { ExecRequest, ExecResult } from '../../contract';
import { readLines, writeLine } from './line';
import type { Handed } from './line';
import { runWithPipes } from './pipes';
import { runInTerminal, setTerminal } from './terminal';

const STDIN = 0;
const STDOUT = 1;

/** What one who entered runs, and the agent's word that the job has ended. */
export interface Entered {
  readonly invocation: NonNullable<Handed['invocation']>;
  readonly over: AbortSignal;
  /** Tells the agent what was started, so that it does not stay behind. */
  readonly started: (group: number) => void;
}

/**
 * The VM's side of `rawcloud exec`: the SSM agent has started it, as root, in a terminal of its own.
 * @param mode of the session document: `rawcloud`, else a shell for whoever came by other means
 * @param address port and token of the agent's {@link JobEntry}
 * @returns whether it came to an end that could be told
 */
export async function enterJob(mode: string, address: string): Promise<boolean> {
  const request = mode === 'rawcloud' ? greet() : { argv: [] };
  if (!request) return false;
  const [port, token] = address.split(':');
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  try {
    const result = await perform(socket, token!, request, mode === 'rawcloud');
    tell(request, result, mode === 'rawcloud');
    writeLine(socket, { done: true });
    return true;
  } finally {
    socket.end();
  }
}

/** Makes the terminal a plain pipe, and waits for what is asked. */
function greet(): ExecRequest | undefined {
  setTerminal(['raw', '-echo']);
  writeSync(STDOUT, `${HELLO}\n`);
  const reader = new FrameReader();
  const byte = Buffer.alloc(1);
  // No byte more than the request: the rest is the command's. The client sends nothing else before it is told that it may.
  while (readSync(STDIN, byte, 0, 1, null) === 1) {
    const [frame] = reader.push(byte);
    if (frame?.kind === 'request') return decodeJson(ExecRequestSchema, frame.bytes, 'what is asked');
  }
  return undefined;
}

async function perform(socket: Socket, token: string, request: ExecRequest, isOurs: boolean): Promise<ExecResult> {
  const { argv, terminal } = request;
  const isTerminal = terminal !== undefined || !isOurs;
  try {
    await once(socket, 'connect');
  } catch {
    return { code: 255, why: 'not-entered', message: 'the command of the job does not run any more' };
  }
  const term = terminal?.term ?? (isTerminal ? 'xterm-256color' : undefined);
  writeLine(socket, { token, argv, ...(term === undefined ? {} : { term }) });
  const lines = readLines<Handed>(socket)[Symbol.asyncIterator]();
  const first = await lines.next();
  const { invocation, refused }: Handed = first.done ? {} : first.value;
  if (refused) return refused;
  if (!invocation) return { code: 255, why: 'not-entered', message: 'the agent of the job does not let anybody in' };
  const over = new AbortController();
  // The agent being gone means the same.
  void lines.next().then(
    () => over.abort(),
    () => over.abort(),
  );
  const entered: Entered = { invocation, over: over.signal, started: (group) => writeLine(socket, { group }) };
  if (isOurs) writeSync(STDOUT, encodeFrame('ready'));
  const result = isTerminal ? await runInTerminal(entered, terminal) : await runWithPipes(entered);
  return over.signal.aborted ? { ...result, why: 'job-ended' } : result;
}

function tell({ terminal }: ExecRequest, result: ExecResult, isOurs: boolean): void {
  if (!isOurs) {
    if (result.message) writeSync(STDOUT, `rawcloud: ${result.message}\r\n`);
    return;
  }
  // One that was refused has no terminal yet.
  if (terminal) writeSync(STDOUT, encodeTrailer(terminal.nonce, result));
  else writeSync(STDOUT, encodeFrame('result', Buffer.from(JSON.stringify(result))));
}
