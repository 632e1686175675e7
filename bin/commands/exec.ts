import { RawcloudError } from '../../lib/contract';
import type { Exec, ExecEnd } from '../../lib/runtime/exec/open';
import type { ExecCommand } from '../../lib/runtime/exec/run';
import type { Context } from '../context';
import type { CliIo, Terminal } from '../io';
import type { ExecOptions } from '../options';
import { isoTime } from '../render/json-value';
import { jsonOutput } from '../render/output';
import { connectOptions } from './connection';

/** `rawcloud exec`: a command beside that of a running job. Leaves with its exit code. */
export async function exec(which: string, operands: readonly string[], options: ExecOptions, context: Context): Promise<number> {
  // Options end at the job already: `--` is allowed, and says nothing.
  const words = operands[0] === '--' ? operands.slice(1) : operands;
  const terminal = options.tty ? terminalOf(options, context) : undefined;
  if (!terminal && words.length === 0) {
    throw new RawcloudError('E_USAGE', 'what shall be run on the VM is missing', {
      remedy: `Give a command: rawcloud exec ${which} ps aux; or take a shell: rawcloud exec -it ${which}`,
    });
  }
  const opened = await context.io.openExec(connectOptions(context, options));
  try {
    const end = terminal
      ? await inTerminal(opened, which, words, terminal, context)
      : await withPipes(opened, which, words, options, context);
    await report(end, options, context);
    return end.code;
  } finally {
    await opened.close();
  }
}

/** @throws E_USAGE without one on both sides */
function terminalOf({ json, interactive }: ExecOptions, { io }: Context): Terminal {
  const fail = (text: string, remedy: string): never => {
    throw new RawcloudError('E_USAGE', text, { remedy });
  };
  if (json) fail('--json and -t exclude each other: what a terminal shows is for people', 'Leave out one of them.');
  if (!interactive) fail('-t is of use with -i only: nothing could be typed', 'Give both: -it.');
  return (
    io.terminal ??
    fail('-t needs a terminal, and input or output of this command is none', 'Leave out -t; with -i the command reads what is piped.')
  );
}

async function inTerminal(opened: Exec, which: string, argv: readonly string[], terminal: Terminal, context: Context): Promise<ExecEnd> {
  const { io, out } = context;
  const leave = new AbortController();
  // Keys are no signals now: what comes is from outside, or the terminal was closed.
  const unlisten = io.signals.listen(() => leave.abort());
  const restore = terminal.makeRaw();
  try {
    return await opened.run(which, {
      argv,
      terminal: {
        term: io.env['TERM'] ?? 'xterm-256color',
        size: () => terminal.size(),
        onResize: (listener) => terminal.onResize(listener),
      },
      stdin: io.stdin.read(leave.signal),
      onOutput: (_stream, bytes) => out.write(bytes),
      signal: leave.signal,
    });
  } finally {
    restore();
    unlisten();
    leave.abort();
  }
}

async function withPipes(opened: Exec, which: string, argv: readonly string[], options: ExecOptions, context: Context): Promise<ExecEnd> {
  const { io, out, err } = context;
  const over = new AbortController();
  const signals = new Signals(io);
  const show: ExecCommand['onOutput'] = options.json
    ? (stream, bytes) => out.write(jsonOutput(isoTime(io.clock.now()), undefined, 0, stream, bytes))
    : (stream, bytes) => (stream === 'stdout' ? out : err).write(bytes);
  try {
    return await opened.run(which, {
      argv,
      ...(options.interactive ? { stdin: io.stdin.read(over.signal) } : {}),
      onOutput: show,
      signals: (send) => signals.to(send),
      signal: AbortSignal.any([signals.leave, out.gone]),
    });
  } finally {
    over.abort();
    signals.dispose();
  }
}

/** The first signal is the command's; one that comes while it does not end is ours. */
class Signals {
  readonly #leave = new AbortController();
  readonly #undo: () => void;
  #send: ((name: string) => void) | undefined;
  #count = 0;

  constructor(io: Pick<CliIo, 'signals'>) {
    this.#undo = io.signals.listen((name) => {
      this.#count++;
      if (this.#send && this.#count === 1) this.#send(name);
      else this.#leave.abort();
    });
  }

  /** The command is there to hear. */
  to(send: (name: string) => void): void {
    this.#send = send;
  }

  get leave(): AbortSignal {
    return this.#leave.signal;
  }

  dispose(): void {
    this.#undo();
  }
}

/** @throws E_EXEC_LOST, E_JOB_STATE when it did not end by itself */
async function report({ job, vm, code, why, message }: ExecEnd, { json }: ExecOptions, { out, err }: Context): Promise<void> {
  if (why === 'job-ended') {
    throw new RawcloudError('E_EXEC_LOST', `job ${job} ended, and the command with it`, { remedy: `How: rawcloud status ${job}` });
  }
  if (why === 'not-entered') throw new RawcloudError('E_JOB_STATE', `job ${job} could not be entered: ${message ?? 'nobody let us in'}`);
  if (message !== undefined) await err.write(`rawcloud exec: ${message}\n`);
  if (json) await out.write(`${JSON.stringify({ v: 1, job, vm, exitCode: code })}\n`);
}
