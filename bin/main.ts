import { CommanderError } from 'commander';
import type { Commands } from './commands';
import type { Context } from './context';
import type { CliIo } from './io';
import { createProgram } from './program';
import { Sink } from './sink';

/** Exit code of a usage error, as in `lib/contract/states.ts`; the contract itself is not loaded for `--help`. */
const USAGE = 2;

/** 128 + SIGPIPE: what a local command leaves with when nobody reads its output any more. */
const SIGPIPE_CODE = 141;

/**
 * The CLI: parses, runs one verb, reports errors.
 * @param argv the words after the program's name
 * @param loadCommands loads the verbs; called only when one runs
 * @returns the exit code, when everything is written
 */
export async function main(argv: readonly string[], io: CliIo, loadCommands: () => Promise<Commands>): Promise<number> {
  const context: Context = { io, out: new Sink(io.stdout), err: new Sink(io.stderr) };
  const code = await perform(argv, context, loadCommands);
  await context.out.flush();
  await context.err.flush();
  return code === 0 && context.out.gone.aborted ? SIGPIPE_CODE : code;
}

async function perform(argv: readonly string[], context: Context, loadCommands: () => Promise<Commands>): Promise<number> {
  let code = 0;
  const program = createProgram(context, async (verb) => {
    code = await verb(await loadCommands());
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    const json = wantsJson(argv);
    if (error instanceof CommanderError) return reportUsage(error, context, json);
    return (await loadCommands()).reportError(error, context, json);
  }
}

/** `--json` before the command of `run` begins cannot be told without parsing, which has failed: any will do. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json');
}

/** Help and version have printed themselves; what is left are words that are no rawcloud command line. */
async function reportUsage(error: CommanderError, context: Context, json: boolean): Promise<number> {
  if (error.exitCode === 0) return 0;
  // A bare `rawcloud`: its help is on stderr.
  if (error.code === 'commander.help') return USAGE;
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\n\((.*)\)$/, '; $1')
    .replace('Did you mean', 'did you mean');
  const remedy = 'Look at `rawcloud --help` and `rawcloud <verb> --help`.';
  if (!json) await context.err.write(`error: ${message}\n  → ${remedy}\n  → rawcloud explain E_USAGE\n`);
  else {
    const at = new Date(context.io.clock.now()).toISOString();
    await context.out.write(`${JSON.stringify({ v: 1, at, type: 'error', data: { code: 'E_USAGE', message, remedy } })}\n`);
  }
  return USAGE;
}
