import { Command } from 'commander';
import { version } from '../package.json';
import type { Commands } from './commands';
import type { Context } from './context';
import { withExamples } from './verbs/examples';
import { declareAccountVerbs } from './verbs/account';
import { declareCompletion } from './verbs/completion';
import { declareEnv } from './verbs/env';
import { declareExplain } from './verbs/explain';
import { declareHelp } from './verbs/help';
import { declareJobVerbs } from './verbs/jobs';
import { declareLocal } from './verbs/local';
import { declareRun } from './verbs/run';

/** Runs a verb once its code is loaded. */
export type Perform = (verb: (commands: Commands) => Promise<number>) => Promise<void>;

/** What declares a verb needs of the program. */
export interface Declaring {
  readonly program: Command;
  readonly context: Context;
  readonly perform: Perform;
}

const EXAMPLES = [
  'rawcloud run python train.py --epochs 3      a job on a VM of its own',
  'rawcloud run --dry-run python train.py       what it would take and cost',
  'rawcloud ps                                  what is on',
  "rawcloud logs -f                             the last job's output",
  'rawcloud run --local python train.py         all on this machine, free of charge',
];

const NOTES = `JOB is an id, the beginning of one, or a name; without it the last job that you started here.
RAWCLOUD_LOCAL=1 stands for --local. rawcloud help VERB tells all about a verb, rawcloud explain CODE about an error.`;

/** All verbs and their options; nothing is run yet. */
export function createProgram(context: Context, perform: Perform): Command {
  const program = new Command('rawcloud')
    .description('Runs any command on an EC2 VM that exists only for it.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.io.stdout.write(text),
      writeErr: (text) => void context.io.stderr.write(text),
      // Errors are rendered in one place: main.ts.
      outputError: () => undefined,
      getOutHelpWidth: () => context.io.stdout.columns ?? 100,
      getErrHelpWidth: () => context.io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  withExamples(program, EXAMPLES, { after: NOTES });
  const declaring = { program, context, perform };
  declareRun(declaring);
  declareJobVerbs(declaring);
  declareEnv(declaring);
  declareAccountVerbs(declaring);
  declareLocal(declaring);
  declareExplain(declaring);
  declareCompletion(declaring);
  declareHelp(declaring);
  return program;
}
