import path from 'node:path';
import { readText } from './directories';
import { isDistributionGit, isPlainConfig } from './plain-config';
import { askGit } from './program';
import type { Env } from './program';

/** What the configuration says about ignore rules. */
export interface GitSettings {
  /** core.excludesFile. @default - git's usual place; '' is none */
  readonly excludesFile?: string;
  /** core.ignoreCase: usual on macOS. */
  readonly ignoreCase: boolean;
}

/** Only git reads its configuration as git does. @returns undefined without an answer */
export async function askSettings(workTree: string, env: Env): Promise<GitSettings | undefined> {
  const answer = await askGit(workTree, env, ['config', '-z', '--type=path', '--get-regexp', '^core\\.(excludesfile|ignorecase)$']);
  if (answer.failure !== undefined) return undefined;
  const values = parseAnswer(answer.stdout.toString());
  const excludesFile = values.get('core.excludesfile');
  // `--type` speaks of all values alike, so that a switch comes as it was written.
  const ignoreCase = isTrue(values.get('core.ignorecase'));
  return { ...(excludesFile === undefined ? {} : { excludesFile }), ignoreCase };
}

/** `name\nvalue\0` each; the last value of a name counts. */
function parseAnswer(text: string): Map<string, string> {
  const pairs = text.split('\0').filter((entry) => entry !== '');
  return new Map(
    pairs.map((entry) => {
      const at = entry.indexOf('\n');
      // A name without `=` means true.
      return at === -1 ? [entry, 'true'] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

export function sameSettings(a: GitSettings, b: GitSettings): boolean {
  return a.excludesFile === b.excludesFile && a.ignoreCase === b.ignoreCase;
}

export interface GuessedSettings {
  readonly settings: GitSettings;
  /** Git would say the same: it need not be asked. */
  readonly isSure: boolean;
}

/**
 * What the configuration files at their usual places seem to say, so that a walk can begin before git has answered, and does
 * with it where there is no git program. It passes over quoting and includes: unless it is sure, git's own answer counts.
 */
export function guessSettings(commonDirectory: string, { env, home }: { env: Env; home: string }): GuessedSettings {
  const user = env['HOME'] ?? home;
  const xdg = path.join(env['XDG_CONFIG_HOME'] || path.join(user, '.config'), 'git', 'config');
  const global = env['GIT_CONFIG_GLOBAL'] === undefined ? [xdg, path.join(user, '.gitconfig')] : [env['GIT_CONFIG_GLOBAL']];
  const system = env['GIT_CONFIG_NOSYSTEM'] ? [] : [env['GIT_CONFIG_SYSTEM'] ?? '/etc/gitconfig'];
  const texts = [...system, ...global, path.join(commonDirectory, 'config')].map((file) => readText(file));
  return {
    settings: texts.reduce<GitSettings>((settings, text) => ({ ...settings, ...settingsIn(text, user) }), { ignoreCase: false }),
    isSure: isUsual(env) && texts.every(isPlainConfig) && isDistributionGit(env),
  };
}

/** Nothing in the environment says anything of git's configuration but that the system's does not count. */
function isUsual(env: Env): boolean {
  const odd = Object.keys(env).some((name) => name.startsWith('GIT_CONFIG_') && name !== 'GIT_CONFIG_NOSYSTEM');
  return !odd && env['HOME'] !== undefined && [undefined, '1', 'true'].includes(env['GIT_CONFIG_NOSYSTEM']);
}

function settingsIn(text: string, home: string): Partial<GitSettings> {
  const found: { excludesFile?: string; ignoreCase?: boolean } = {};
  let section = '';
  for (const line of /core/i.test(text) ? text.split('\n') : []) {
    section = /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.toLowerCase() ?? section;
    const [, name = '', value = 'true'] = /^\s*(\w+)(?:\s*=\s*"?(.*?)"?)?\s*$/.exec(line) ?? [];
    if (section !== 'core') continue;
    if (name.toLowerCase() === 'ignorecase') found.ignoreCase = isTrue(value);
    if (name.toLowerCase() === 'excludesfile') found.excludesFile = value.replace(/^~(?=\/)/, home);
  }
  return found;
}

function isTrue(value: string | undefined): boolean {
  return /^(true|yes|on|[1-9]\d*)$/i.test(value ?? '');
}
