import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hasCode, mapBounded, RawcloudError } from '../../contract';
import type { CaptureContext, PythonIndex } from '../../contract';
import { cleanUrl, credentialsOf, urlWith } from './index-credentials';
import { readIni } from './ini';
import { readProjectIndexes } from './project-indexes';
import type { ProjectIndex, ProjectIndexes } from './project-indexes';
import { hasCredentials } from './requirement';

type Env = Readonly<Record<string, string | undefined>>;

/** A setting's value and what it is called, for people. */
interface Setting {
  readonly value: string;
  readonly from: string;
}

/** Where packages come from, and what opens those places. */
export interface Indexes {
  /** As far as it differs from the default. URLs without credentials. */
  readonly index?: PythonIndex;
  /** URL by package, where a lockfile or the project names one. */
  readonly packages: Readonly<Record<string, string>>;
  /** Where credentials of an index were found, by its URL. */
  readonly credentials: Readonly<Record<string, string>>;
  /** The URL with its credentials, by the URL without. */
  readonly secrets: Readonly<Record<string, string>>;
}

type Where = Pick<CaptureContext, 'env' | 'cwd' | 'root' | 'signal'> & {
  /** Of the environment. */
  readonly prefix: string;
  /** URL by package, as a lockfile names it; it may hold credentials or variables. */
  readonly locked: Readonly<Record<string, string>>;
  /** Canonical names of what is to be installed. */
  readonly names: ReadonlySet<string>;
};

/**
 * Where the developer's tools take packages from: environment variables, else the project's own indexes, else pip's configuration
 * files (the environment's own, the user's, the machine's). uv's own variables win over pip's.
 * @throws E_PACKAGE when a place has credentials that cannot travel; they are not shown
 */
export async function readIndexes(where: Where): Promise<Indexes> {
  const { env } = where;
  const pip = await pipSettings(env, where.prefix);
  const project = await readProjectIndexes(where);
  const own = project.indexes.filter(({ role }) => role !== 'explicit');
  const ofProject = (role: 'default' | 'extra'): Located[] => own.filter((one) => one.role === role).map((one) => locatedOf(one, env));
  const uvUrl = variable(env, 'UV_DEFAULT_INDEX') ?? variable(env, 'UV_INDEX_URL');
  const url = [...locate(uvUrl), ...ofProject('default').filter(({ text }) => !isPypi(text)), ...locate(pip('index-url'))][0];
  const uvExtra = [variable(env, 'UV_INDEX'), variable(env, 'UV_EXTRA_INDEX_URL')].flatMap(locate);
  const pipExtra = locate(pip('extra-index-url'));
  const links = [variable(env, 'UV_FIND_LINKS'), pip('find-links')].flatMap(locate);
  const isBest = pipExtra.length > 0 || own.some(({ isUvs, role }) => !isUvs && role === 'extra');
  const opener = new Opener(where);
  const index: PythonIndex = {
    ...(url && !isPypi(url.text) ? { url: await opener.open(url) } : {}),
    extra: unique(await opener.openAll([...uvExtra, ...ofProject('extra'), ...pipExtra])),
    findLinks: unique(links.map((link) => absolute(plain(link), where.cwd))),
    noIndex: isTrue(variable(env, 'UV_NO_INDEX') ?? pip('no-index')),
    strategy: isBest ? 'best' : 'first',
  };
  const packages = await ofPackages(project, where, opener);
  const isPlain = index.url === undefined && index.extra.length === 0 && index.findLinks.length === 0 && !index.noIndex;
  return { ...(isPlain ? {} : { index }), packages, ...opener.opened };
}

/** An index of its own for a package: the lockfile's, else the one that the project names for it. */
async function ofPackages(project: ProjectIndexes, { names, locked, env }: Where, opener: Opener): Promise<Record<string, string>> {
  const known = project.indexes.map((one) => ({ ...locatedOf(one, env), index: one }));
  const packages: Record<string, string> = {};
  for (const name of [...names].sort()) {
    const lockedAt = locked[name];
    const asked = project.packages[name];
    const named = known.find(({ index }) =>
      lockedAt === undefined ? index.name === asked && asked !== undefined : isSamePlace(index.url, lockedAt),
    );
    const located = named ?? (lockedAt === undefined ? undefined : { text: expand(lockedAt, env), from: `the lockfile, for ${name}` });
    if (located && !isPypi(located.text)) packages[name] = await opener.open(located);
  }
  return packages;
}

/** A place as a setting has it. */
interface Located {
  readonly text: string;
  readonly from: string;
  readonly name?: string;
}

function locatedOf({ url, from, name }: ProjectIndex, env: Env): Located {
  return {
    text: expand(url, env),
    from: name === undefined ? from : `the index ${name} in ${from}`,
    ...(name === undefined ? {} : { name }),
  };
}

/** Variables in URLs, as pipenv and pdm take them. */
function expand(url: string, env: Env): string {
  return url.replace(
    /\$\{(\w+)\}|\$(\w+)/g,
    (whole, braced: string | undefined, bare: string | undefined) => env[braced ?? bare ?? ''] ?? whole,
  );
}

/** Lists are separated by white space (uv: also commas); uv writes `name=url`. */
function locate(setting: Setting | undefined): Located[] {
  return (setting?.value ?? '')
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map((word) => {
      const [, name, text] = /^([\w.-]+)=(\w+:\/\/.*)$/.exec(word) ?? [];
      return { text: text ?? word, from: setting!.from, ...(name === undefined ? {} : { name }) };
    });
}

/** Takes credentials out of URLs, and looks for those that tools would find elsewhere. */
class Opener {
  readonly #credentials: Record<string, string> = {};
  readonly #secrets: Record<string, string> = {};
  readonly #known = new Map<string, Promise<string>>();

  constructor(private readonly where: Where) {}

  get opened(): Pick<Indexes, 'credentials' | 'secrets'> {
    return { credentials: this.#credentials, secrets: this.#secrets };
  }

  async openAll(all: readonly Located[]): Promise<string[]> {
    const urls: string[] = [];
    for (const located of all) urls.push(await this.open(located));
    return urls;
  }

  /** The URL without credentials. */
  open(located: Located): Promise<string> {
    const known = this.#known.get(located.text) ?? this.#open(located);
    this.#known.set(located.text, known);
    return known;
  }

  async #open(located: Located): Promise<string> {
    const url = URL.canParse(located.text) ? new URL(located.text) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) return plain(located);
    const text = located.text.replace(/^(\w+:\/\/)[^/]*@/, '$1');
    plain({ ...located, text });
    const found = await credentialsOf({ url, from: located.from, ...(located.name ? { name: located.name } : {}) }, this.where);
    if (found) {
      this.#credentials[text] = found.from;
      this.#secrets[text] = urlWith(new URL(text), found);
    }
    return text;
  }
}

/** @throws E_PACKAGE for a secret in another place than that of user and password */
function plain({ text, from }: Located): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && hasCredentials(url)) {
    throw new RawcloudError('E_PACKAGE', `${from} names a place at ${url.host} with credentials that do not travel`, {
      remedy:
        'Of indexes user and password travel, sealed: in the URL, in netrc, in the keyring or in the variables of the tool. Give them there.',
    });
  }
  return text;
}

function isPypi(text: string): boolean {
  return /^https:\/\/pypi\.(?:python\.)?org\/simple\/?$/.test(text);
}

function isSamePlace(a: string, b: string): boolean {
  const place = (text: string): string => (URL.canParse(text) ? cleanUrl(new URL(text)) : text).replace(/\/+$/, '');
  return place(a) === place(b);
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
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return new Map();
    throw error;
  }
}
