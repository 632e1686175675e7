import { randomBytes } from 'node:crypto';
import { encodeFrame, encodeRequest, FrameReader, HELLO, RawcloudError, TrailerReader, decodeResult } from '../../contract';
import type { Clock, ExecResult } from '../../contract';
import type { SessionAccess, SessionManager } from '../../contract/session/ports';
import { Channel } from './channel';
import { Inbox } from './inbox';

/** A terminal on this side. */
export interface ExecTerminal {
  readonly term: string;
  size(): { readonly columns: number; readonly rows: number };
  /** @returns what undoes it */
  onResize(listener: () => void): () => void;
}

/** A command on the VM of a job. */
export interface ExecCommand {
  /** Program and arguments. @default - a shell, in a terminal */
  readonly argv?: readonly string[];
  /** A terminal for the command, and not pipes: its two outputs are then one. */
  readonly terminal?: ExecTerminal;
  /** What the command reads. @default - nothing */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Takes output; what it returns is waited for before more is taken. */
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => Promise<void>;
  /** Signals for the command, from here on; of no use in a terminal, where keys are. */
  readonly signals?: (send: (signal: string) => void) => void;
  /** Ends the command and leaves. */
  readonly signal?: AbortSignal;
}

const ALIVE_MS = 60_000;
/** From the session's start to the VM's first word. The SSM agent alone waits for a second. */
const HELLO_WITHIN_MS = 30_000;
/** Of what the VM said instead. */
const SAID_BYTES = 2_000;

interface ExecDeps {
  readonly manager: SessionManager;
  readonly clock: Clock;
}

/** Runs one command in a session. @throws E_EXEC_LOST, E_EXEC_UNREACHABLE, E_JOB_STATE, E_ABORTED */
export async function runExec({ manager, clock }: ExecDeps, access: SessionAccess, command: ExecCommand): Promise<ExecResult> {
  const inbox = new Inbox({ onFull: () => channel.pause(), onRoom: () => channel.resume() });
  const over = (why: string | RawcloudError): void => inbox.end(typeof why === 'string' ? closed(why) : why);
  const leave = (): void => inbox.end(new RawcloudError('E_ABORTED', 'left before the command had ended; it was ended'));
  const channel: Channel = await Channel.open({ manager, clock, onOutput: (bytes) => inbox.push(bytes), onOver: over }, access);
  command.signal?.addEventListener('abort', leave, { once: true });
  if (command.signal?.aborted) leave();
  try {
    await greet(inbox, clock);
    return await (command.terminal ? inTerminal(channel, inbox, command, command.terminal) : withPipes(channel, inbox, command, clock));
  } finally {
    command.signal?.removeEventListener('abort', leave);
    await channel.close();
  }
}

/** Reads up to the VM's first line of ours. @throws E_EXEC_LOST with what came instead */
async function greet(inbox: Inbox, clock: Clock): Promise<void> {
  const mark = Buffer.from(`${HELLO}\n`);
  let said = Buffer.alloc(0);
  const timer = new AbortController();
  const late = (): void =>
    inbox.end(new RawcloudError('E_EXEC_LOST', `the VM has not answered for ${HELLO_WITHIN_MS / 1000} s${quote(said)}`));
  void clock.sleep(HELLO_WITHIN_MS, timer.signal).then(late, () => undefined);
  try {
    for (;;) {
      said = Buffer.concat([said, await inbox.next()]);
      const at = said.indexOf(mark);
      if (at < 0) continue;
      inbox.unread(said.subarray(at + mark.byteLength));
      return;
    }
  } catch (error) {
    if (!(error instanceof RawcloudError) || said.byteLength === 0 || timer.signal.aborted) throw error;
    throw new RawcloudError('E_JOB_STATE', `the VM did not let us in${quote(said)}`, {
      remedy: 'Look whether the job still runs: rawcloud ps.',
      cause: error,
    });
  } finally {
    timer.abort();
  }
}

function quote(said: Buffer): string {
  const text = said.subarray(0, SAID_BYTES).toString('utf8').trim();
  return text === '' ? '' : `; it said: ${text}`;
}

function closed(why: string): RawcloudError {
  return new RawcloudError('E_EXEC_LOST', `the session ended before the command had${why === '' ? '' : `: ${why}`}`);
}

/** Frames both ways. */
async function withPipes(channel: Channel, inbox: Inbox, command: ExecCommand, clock: Clock): Promise<ExecResult> {
  await channel.type(Buffer.from(encodeRequest({ argv: [...(command.argv ?? [])] })));
  const reader = new FrameReader();
  const done = new AbortController();
  const write = (kind: 'input' | 'end-of-input' | 'signal' | 'alive', bytes?: Uint8Array): Promise<void> =>
    channel.type(Buffer.from(encodeFrame(kind, bytes)));
  try {
    for (;;) {
      for (const frame of reader.push(await inbox.next())) {
        if (frame.kind === 'ready') {
          void pump(command.stdin, inbox, done.signal, (bytes) => (bytes ? write('input', bytes) : write('end-of-input')));
          command.signals?.((name) => void write('signal', Buffer.from(name)));
          void keepAlive(clock, done.signal, () => void write('alive'));
        }
        if (frame.kind === 'stdout' || frame.kind === 'stderr') await command.onOutput(frame.kind, frame.bytes);
        if (frame.kind === 'result') return decodeResult(frame.bytes);
      }
    }
  } finally {
    done.abort();
  }
}

/** As it is, both ways. */
async function inTerminal(channel: Channel, inbox: Inbox, command: ExecCommand, terminal: ExecTerminal): Promise<ExecResult> {
  const nonce = randomBytes(12).toString('hex');
  const { term } = terminal;
  await channel.type(Buffer.from(encodeRequest({ argv: [...(command.argv ?? [])], terminal: { nonce, term, ...terminal.size() } })));
  const reader = new TrailerReader(nonce);
  const done = new AbortController();
  const resized = (): void => void channel.resize(terminal.size().columns, terminal.size().rows);
  const undo = terminal.onResize(resized);
  let isReady = false;
  try {
    for (;;) {
      const { shown, result } = reader.push(await inbox.next());
      const isFirst = !isReady && shown.byteLength > 0;
      if (isFirst) {
        isReady = true;
        resized();
        void pump(command.stdin, inbox, done.signal, async (bytes) => bytes && channel.type(bytes));
      }
      const own = isFirst ? shown.subarray(encodeFrame('ready').length) : shown;
      if (own.byteLength > 0) await command.onOutput('stdout', own);
      if (result) return result;
    }
  } finally {
    undo();
    done.abort();
  }
}

/** Hands input on until it ends or nobody wants it any more. */
async function pump(
  source: AsyncIterable<Uint8Array> | undefined,
  inbox: Inbox,
  done: AbortSignal,
  write: (bytes: Uint8Array | undefined) => Promise<unknown>,
): Promise<void> {
  try {
    for await (const bytes of source ?? []) {
      if (done.aborted) return;
      await write(bytes);
    }
    if (!done.aborted) await write(undefined);
  } catch (error) {
    // Reading is given up when the command has ended.
    if (!done.aborted) inbox.end(error);
  }
}

async function keepAlive(clock: Clock, done: AbortSignal, tell: () => void): Promise<void> {
  while (!done.aborted) {
    await clock.sleep(ALIVE_MS, done).catch(() => undefined);
    if (!done.aborted) tell();
  }
}
