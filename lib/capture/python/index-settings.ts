import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { mapBounded, RawcloudError } from '../../contract';
import type { PythonIndex } from '../../contract';
import { codeOf } from '../executables';
import { readIni } from './ini';
import { hasCredentials } from './requirement';

type Env = Readonly<Record<string, string | undefined>>;

/** A setting's value and what it is called, for people. */
interface Setting {
  readonly value: string;
  readonly from: string;
}

/**
 * Where the developer's pip or uv takes packages from, as far as it differs from the default: environment variables,
 * else pip's configuration files (the environment's own, the user's, the machine's). uv's own variables win over pip's.
 * @throws E_PACKAGE when one of them holds credentials; they are not shown
 */
export async function readIndex(env: Env, options: { prefix: string; cwd: string }): Promise<PythonIndex | undefined> {
  const pip = await pipSettings(env, options.prefix);
  const url = variable(env, 'UV_DEFAULT_INDEX') ?? variable(env, 'UV_INDEX_URL') ?? pip('index-url');
  const uvExtra = [variable(env, 'UV_INDEX'), variable(env, 'UV_EXTRA_INDEX_URL')].filter((setting) => setting !== undefined);
  const pipExtra = [pip('extra-index-url')].filter((setting) => setting !== undefined);
  const links = [variable(env, 'UV_FIND_LINKS'), pip('find-links')].filter((setting) => setting !== undefined);
  const index: PythonIndex = {
    ...(url ? { url: open(url.value, url.from) } : {}),
    extra: unique([...uvExtra, ...pipExtra].flatMap(openAll)),
    findLinks: unique(links.flatMap(openAll)).map((link) => absolute(link, options.cwd)),
    noIndex: isTrue(variable(env, 'UV_NO_INDEX') ?? pip('no-index')),
    strategy: pipExtra.length > 0 ? 'best' : 'first',
  };
  const plain = index.url === undefined && index.extra.length === 0 && index.findLinks.length === 0 && !index.noIndex;
  return plain ? undefined : index;
}

/** Indexes that a lockfile names for packages. @throws E_PACKAGE when one of them holds credentials; they are not shown */
export function openIndexes(indexes: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(indexes).map(([name, url]) => [name, open(url, `the lockfile, for ${name},`)]));
}

function variable(env: Env, name: string): Setting | undefined {
  const value = env[name]?.trim();
  return value ? { value, from: name } : undefined;
}

function isTrue(setting: Setting | undefined): boolean {
  return /^(1|true|yes|on|y|t)$/i.test(setting?.value ?? '');
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function absolute(link: string, cwd: string): string {
  return URL.canParse(link) ? link : path.resolve(cwd, link);
}

/** Lists are separated by white space (uv: also commas); uv writes `name=url`. */
function openAll({ value, from }: Setting): string[] {
  return value
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map((word) => open(word.replace(/^[\w.-]+=(?=\w+:\/\/)/, ''), from));
}

/** The value, which holds no secret. */
function open(value: string, from: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url && hasCredentials(url)) {
    throw new RawcloudError('E_PACKAGE', `${from} names an index at ${url.host} with credentials; private indexes are coming`, {
      remedy: `Run with a ${from} that needs none (an empty one: the default index), or with an environment whose packages all come from a public index.`,
    });
  }
  return value;
}

const CONFIG_FILES_AT_ONCE = 8;

/** Looks a setting up as pip does: PIP_* first, then the files, the closest to the environment first. */
async function pipSettings(env: Env, prefix: string): Promise<(name: string) => Setting | undefined> {
  const files = await mapBounded(configFiles(env, prefix), CONFIG_FILES_AT_ONCE, async (file) => ({
    file,
    settings: await readSettings(file),
  }));
  return (name) => {
    const fromEnv = env[`PIP_${name.toUpperCase().replaceAll('-', '_')}`];
    if (fromEnv !== undefined)
      return fromEnv.trim() ? { value: fromEnv.trim(), from: `PIP_${name.toUpperCase().replaceAll('-', '_')}` } : undefined;
    const found = files.find(({ settings }) => settings.has(name));
    return found ? { value: found.settings.get(name)!, from: `'${name}' in ${found.file}` } : undefined;
  };
}

/** Closest first. Source: pip documentation, "Configuration files"; PIP_CONFIG_FILE=/dev/null means none at all. */
function configFiles(env: Env, prefix: string): string[] {
  const named = env['PIP_CONFIG_FILE'];
  if (named === '/dev/null') return [];
  const home = env['HOME'];
  const user = home
    ? [
        path.join(env['XDG_CONFIG_HOME'] ?? path.join(home, '.config'), 'pip'),
        path.join(home, 'Library', 'Application Support', 'pip'),
        path.join(home, '.pip'),
      ]
    : [];
  const machine = (env['XDG_CONFIG_DIRS'] ?? '/etc/xdg').split(':').map((directory) => path.join(directory, 'pip'));
  const directories = [prefix, ...user, ...machine];
  return [...(named ? [named] : []), ...directories.map((directory) => path.join(directory, 'pip.conf')), '/etc/pip.conf'];
}

async function readSettings(file: string): Promise<Map<string, string>> {
  try {
    return readIni(await readFile(file, 'utf8'), ['global', 'install']);
  } catch (error) {
    // Files that pip could not read either say nothing about where it took packages from.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error) ?? '')) return new Map();
    throw error;
  }
}
