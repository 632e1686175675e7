import type { EXIT_CODES } from '../../lib/contract';

/** What the reference says beyond what the verbs declare. */

/** Variables of the environment that the CLI reads. */
export const VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  ['RAWCLOUD_LOCAL=1', 'the local cloud, as by `--local`'],
  ['RAWCLOUD_LOCAL_DIR', 'where the local cloud keeps its state'],
  ['RAWCLOUD_LOCAL_DRIVER', 'what VMs of the local cloud are: auto, namespace or process'],
  ['RAWCLOUD_DEBUG=1', 'stacks of errors'],
  ['NO_COLOR', 'no colours, whatever its value; wins over the next two'],
  ['FORCE_COLOR, CLICOLOR_FORCE', 'colours also where there is no terminal; 0 means nothing'],
  ['CLICOLOR=0, TERM=dumb', 'no colours; TERM=dumb also means no moving line'],
  ['CI', 'no moving line: each phase is a line of its own'],
  ['COLUMNS', 'width, where the terminal does not tell'],
  ['XDG_CACHE_HOME, XDG_STATE_HOME', 'where the files below lie'],
  ['AWS_*', 'as everywhere'],
];

/** Files that the CLI reads or writes on this machine. */
export const FILES: readonly (readonly [path: string, meaning: string])[] = [
  ['.rawcloudignore', 'paths that do not travel, in the syntax of .gitignore'],
  ['~/.cache/rawcloud/', 'what was uploaded already, Node for VMs; may be deleted'],
  ['~/.cache/rawcloud/environments/', 'what the last run of each project took along, for `rawcloud env diff`; may be deleted'],
  ['~/.cache/rawcloud/cdk/', 'packages of the CDK, for `rawcloud deploy`; may be deleted'],
  ['~/.cache/rawcloud/recent-jobs.json', 'ids, names and commands of jobs, for shell completion; may be deleted'],
  ['~/.local/state/', 'holds the state of the local cloud; `rawcloud local status` says where'],
];

/** What each exit code of rawcloud's own means. */
export const EXIT_TEXTS: Readonly<Record<keyof typeof EXIT_CODES, string>> = {
  ok: 'done; of `run` and `attach`: the command succeeded',
  usage: 'the command line or the request is not valid',
  environment: 'the environment could not be built',
  refused: 'refused by AWS: capacity, quota, permission, credentials',
  boot: 'the VM did not boot',
  budget: 'the budget is spent',
  lost: 'the VM was lost',
  timeout: 'the job ran into its time limit',
  internal: 'AWS failed, or rawcloud did',
  stopped: 'stopped, or interrupted by Ctrl-C',
};
