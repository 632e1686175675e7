import type { Command } from 'commander';
import type { EnvHereOptions } from '../options';
import type { Declaring } from '../program';
import { withExamples } from './examples';
import { repeatable, withJson } from './shared';

/** `rawcloud env …`: the environment that jobs get, as it is here and as it is kept. */
export function declareEnv(declaring: Declaring): void {
  const env = declaring.program
    .command('env')
    .summary('the environment of jobs: what would travel, and what has changed')
    .description('The environment that jobs get: what would travel from here, and what has changed since the last run.');
  env.helpCommand(false);
  withExamples(env, ['rawcloud env show -- python train.py', 'rawcloud env diff']);
  declareShow(env, declaring);
  declareDiff(env, declaring);
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
