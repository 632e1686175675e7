import type { Command } from 'commander';
import type {
  AttachOptions,
  ConnectionOptions,
  DownloadOptions,
  ExecOptions,
  LogsOptions,
  PsOptions,
  StatusOptions,
  StopOptions,
} from '../options';
import type { Declaring } from '../program';
import { withExamples } from './examples';
import { withConnection, withJson } from './shared';

const JOB = ['[job]', 'id, beginning of an id, or name (default: the last job started here)'] as const;

/** The verbs that look at jobs that are on record. */
export function declareJobVerbs(declaring: Declaring): void {
  declarePs(declaring);
  declareStatus(declaring);
  declareLogs(declaring);
  declareAttach(declaring);
  declareExec(declaring);
  declareStop(declaring);
  declareExtend(declaring);
  declareDownload(declaring);
  declareReap(declaring);
}

function verb({ program }: Declaring, name: string, summary: string, examples: readonly string[]): Command {
  return withExamples(program.command(name).description(summary), examples);
}

function finish(command: Command): Command {
  return withConnection(withJson(command));
}

function declarePs(declaring: Declaring): void {
  const command = verb(declaring, 'ps', 'list jobs that are on', ['rawcloud ps', 'rawcloud ps --all --limit 50'])
    .option('-a, --all', 'ended jobs too, newest first')
    .option('--limit <n>', 'at most so many');
  finish(command).action(async (options: PsOptions) => declaring.perform((c) => c.ps(options, declaring.context)));
}

function declareStatus(declaring: Declaring): void {
  const command = verb(declaring, 'status', 'show one job', ['rawcloud status', 'rawcloud status nightly --timings'])
    .argument(...JOB)
    .option('--timings', 'how long each phase took');
  finish(command).action(async (job: string | undefined, options: StatusOptions) =>
    declaring.perform((c) => c.status(job, options, declaring.context)),
  );
}

function declareLogs(declaring: Declaring): void {
  const command = verb(declaring, 'logs', "print a job's output, stdout to stdout and stderr to stderr", [
    'rawcloud logs',
    'rawcloud logs -f nightly | grep loss',
    'rawcloud logs --environment j4k2',
    'rawcloud logs --boot j4k2',
  ])
    .argument(...JOB)
    .option('-f, --follow', 'go on until the job has ended')
    .option('--environment', 'how its environment was built instead, with all that installers said')
    .option('--boot', "the VM's boot log instead")
    .option('--system', 'also what rawcloud says on the VM, the log of the environment included (on stderr)');
  finish(command).action(async (job: string | undefined, options: LogsOptions) =>
    declaring.perform((c) => c.logs(job, options, declaring.context)),
  );
}

function declareAttach(declaring: Declaring): void {
  const command = verb(declaring, 'attach', 'watch a job from its first byte and leave with its exit code; Ctrl-C leaves it running', [
    'rawcloud attach',
    'rawcloud attach nightly > out.txt',
  ]).argument(...JOB);
  withConnection(withJson(command, 'one JSON event a line on stdout').option('-q, --quiet', "nothing but the command's own output")).action(
    async (job: string | undefined, options: AttachOptions) => declaring.perform((c) => c.attach(job, options, declaring.context)),
  );
}

function declareExec(declaring: Declaring): void {
  const command = withExamples(
    declaring.program
      .command('exec')
      .summary('run a command on the VM of a running job')
      .description(
        'Runs a command on the VM of a running job: as its user, in its environment and working directory. Leaves with its exit code.',
      )
      .usage('[options] <job> [--] [command …]')
      .argument('<job>', 'id, beginning of an id, or name')
      .argument('[command...]', 'program and arguments (default with -it: a shell)')
      .passThroughOptions(),
    [
      'rawcloud exec nightly ps aux',
      'rawcloud exec -it nightly',
      'rawcloud exec -it nightly htop',
      'rawcloud exec -i nightly tar x < data.tar',
    ],
    { after: 'The scaffolding must allow it: new RawCloud(this, …, { allowExec: true }).' },
  )
    .option('-i, --interactive', 'the command reads what is typed or piped here (default: nothing)')
    .option('-t, --tty', 'a terminal for the command: colours, line editing, Ctrl-C for what runs in it');
  withConnection(withJson(command, 'one JSON line for each piece of output, then one with the exit code')).action(
    async (job: string, words: string[], options: ExecOptions) => declaring.perform((c) => c.exec(job, words, options, declaring.context)),
  );
}

function declareStop(declaring: Declaring): void {
  const command = verb(declaring, 'stop', 'stop a job and wait until its VM is gone', ['rawcloud stop', 'rawcloud stop nightly --no-wait'])
    .argument(...JOB)
    .option('--no-wait', 'ask only; the job stops without us');
  finish(command).action(async (job: string | undefined, options: StopOptions) =>
    declaring.perform((c) => c.stop(job, options, declaring.context)),
  );
}

function declareExtend(declaring: Declaring): void {
  const command = verb(declaring, 'extend', "move the end of a job's lifetime to so long from now", ['rawcloud extend nightly 12h'])
    .argument('<job>', 'id, beginning of an id, or name')
    .argument('<duration>', 'as 90s, 15m, 1h30m, 2d');
  finish(command).action(async (job: string, duration: string, options: ConnectionOptions) =>
    declaring.perform((c) => c.extend(job, duration, options, declaring.context)),
  );
}

function declareDownload(declaring: Declaring): void {
  const command = verb(declaring, 'download', 'bring the files home that a job wrote', [
    'rawcloud download',
    'rawcloud download nightly --to results',
  ])
    .argument(...JOB)
    .option('--to <dir>', 'directory to write under (default: the tree that the job was started in)')
    .option('--overwrite', 'replace files that are there');
  finish(command).action(async (job: string | undefined, options: DownloadOptions) =>
    declaring.perform((c) => c.download(job, options, declaring.context)),
  );
}

function declareReap(declaring: Declaring): void {
  const command = verb(declaring, 'reap', 'bring every open job further and end VMs that nobody needs', ['rawcloud reap --json']);
  finish(command).action(async (options: ConnectionOptions) => declaring.perform((c) => c.reap(options, declaring.context)));
}
