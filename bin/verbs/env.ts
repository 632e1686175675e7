import type { Command } from 'commander';
import type { EnvBuildOptions, EnvDeleteOptions, EnvHereOptions, EnvListOptions } from '../options';
import type { Declaring } from '../program';
import { withExamples } from './examples';
import { withHardware, withPackages, withVariables } from './run';
import { repeatable, withConnection, withJson } from './shared';

/** `rawcloud env …`: the environment that jobs get, as it is here and as it is kept. */
export function declareEnv(declaring: Declaring): void {
  const env = declaring.program
    .command('env')
    .summary('the environment of jobs: what would travel, what has changed, what is kept')
    .description(
      'The environment that jobs get: what would travel from here, what has changed since the last run, what VMs have kept of it.',
    );
  env.helpCommand(false);
  withExamples(env, ['rawcloud env show -- python train.py', 'rawcloud env diff', 'rawcloud env build', 'rawcloud env list']);
  declareShow(env, declaring);
  declareDiff(env, declaring);
  declareBuild(env, declaring);
  declareList(env, declaring);
  declareDelete(env, declaring);
}

function here(command: Command): Command {
  return withJson(
    command
      .usage('[options] [--] [command …]')
      .argument('[command...]', 'program and arguments (default: whatever is active here)')
      .passThroughOptions()
      .option('--packages <source>', 'lock or installed, as of rawcloud run')
      .option('--setup <command>', 'command that VMs run as root before, as of rawcloud run; repeatable', repeatable(false))
      .option('--setup-script <file>', 'script that VMs run as root before those')
      .option('--arch <arch>', "for VMs of x86_64 or arm64 (default: this machine's)")
      .option('--local', 'for VMs of the local cloud'),
  );
}

function declareShow(env: Command, { context, perform }: Declaring): void {
  const command = env
    .command('show')
    .summary('what would be synchronized for a command that is started here')
    .description('Shows packages, files and logins that a command started here would take along. Sends nothing, and asks no account.');
  withExamples(command, [
    'rawcloud env show',
    'rawcloud env show -- python train.py',
    'rawcloud env show --forward git --json -- npm start',
  ])
    .option(
      '--forward <logins>',
      'logins of yours that the job would get: git, huggingface, gcp, kube; comma list, repeatable',
      repeatable(true),
    )
    .option('--profile <name>', 'AWS profile that the job would get the identity of')
    .option('--no-credentials', 'the job would get no AWS identity');
  here(command).action(async (words: string[], options: EnvHereOptions) => perform((c) => c.envShow(words, options, context)));
}

function declareDiff(env: Command, { context, perform }: Declaring): void {
  const command = env
    .command('diff')
    .summary('what has changed since the last run of this project')
    .description(
      'Compares packages and files with those of the last run that was started on this machine in this project, by content. Sends nothing, and asks no account.',
    );
  withExamples(command, ['rawcloud env diff', 'rawcloud env diff -- python train.py']);
  here(command).action(async (words: string[], options: EnvHereOptions) => perform((c) => c.envDiff(words, options, context)));
}

function declareBuild(env: Command, { context, perform }: Declaring): void {
  const command = env
    .command('build')
    .summary('build the environment of a command on a VM now, so that the next run starts at once')
    .description(
      'Launches a VM that makes the environment which a command started here would have, and keeps it for later jobs. The job runs nothing but `true`, and has no AWS identity.',
    )
    .usage('[options] [--] [command …]')
    .argument('[command...]', 'program and arguments (default: whatever is active here)')
    .passThroughOptions();
  withExamples(command, [
    'rawcloud env build',
    'rawcloud env build -- python train.py',
    'rawcloud env build --arch arm64 --cpu 16 --setup "dnf install -y gcc" -- python train.py',
  ]);
  withPackages(withVariables(withHardware(command)))
    .option('-y, --yes', 'synchronize a large tree without asking')
    .optionsGroup('Job:')
    .option('--name <name>', 'name to find the job by')
    .option('-t, --tag <key=value>', 'tag of VM, disk and ledger; repeatable', repeatable(false))
    .option('--max-lifetime <duration>', 'the VM ends itself after this long, whatever happens (default: 24h)')
    .option('--retries <n>', 'new VMs that begin anew when one is lost or taken back (default: 0)')
    .option('--dry-run', 'show plan and price; launch nothing');
  withJson(command, 'one JSON event a line, then what is kept').option('-q, --quiet', 'nothing but errors');
  withConnection(command).action(async (words: string[], options: EnvBuildOptions) => perform((c) => c.envBuild(words, options, context)));
}

function declareList(env: Command, { context, perform }: Declaring): void {
  const command = env
    .command('list')
    .summary('the environments that VMs have kept')
    .description(
      'Lists the environments that VMs have built and kept for later jobs: what they are, their size, when they were built and last used.',
    );
  withExamples(command, ['rawcloud env list', 'rawcloud env list --all --json']).option(
    '--all',
    'those of other people and of deployed jobs too',
  );
  withConnection(withJson(command)).action(async (options: EnvListOptions) => perform((c) => c.envList(options, context)));
}

function declareDelete(env: Command, { context, perform }: Declaring): void {
  const command = env
    .command('delete')
    .summary('delete environments that VMs have kept')
    .description('Deletes environments, and tells what that frees. Jobs that need one of them build it anew.')
    .argument('[ids...]', 'ids of rawcloud env list, or beginnings of some');
  withExamples(command, ['rawcloud env delete 3f9a0c', 'rawcloud env delete --unused-for 30d', 'rawcloud env delete --all --yes'])
    .option('--all', 'all of yours')
    .option('--unused-for <duration>', 'those of yours that no job has used for this long, as 30d')
    .option('-y, --yes', 'without asking');
  withConnection(withJson(command)).action(async (ids: string[], options: EnvDeleteOptions) =>
    perform((c) => c.envDelete(ids, options, context)),
  );
}
