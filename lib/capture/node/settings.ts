import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError, unlessMissing } from '../../contract';
import type { CaptureContext, Notice } from '../../contract';
import type { Lock } from './lock';
import { expand, readNpmrc, userFiles, variablesIn } from './npmrc';
import type { Npmrc } from './npmrc';
import type { Project } from './project';
import { readYarnRc } from './yarn-rc';

/** How registries are reached: what may be on record, and what travels sealed. */
export interface Registries {
  readonly settings: Readonly<Record<string, string>>;
  /** `npmrc`, `yarnrc`: texts of files; `env:NAME`: variables. Secret. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly notices: readonly Notice[];
  /** The project's .npmrc without secrets. */
  readonly projectText: string;
}

/** Variables by which managers are told of credentials without a file that says so. */
const VARIABLES = ['YARN_NPM_AUTH_TOKEN', 'YARN_NPM_AUTH_IDENT', 'YARN_NPM_REGISTRY_SERVER', 'NPM_CONFIG_TOKEN'];

const PUBLIC_HOST = 'registry.npmjs.org';

/**
 * Reads the project's configuration and the developer's own, of npm's kind and of yarn's. What is deployed is the same whoever
 * deploys it: of the developer's own it takes nothing but what a registry of the project asks for.
 */
export async function readRegistries(project: Project, { env, locked = false }: CaptureContext): Promise<Registries> {
  const { manager } = project.lock;
  const own = await readAll(userFiles(manager, env), env);
  const file = path.join(project.directory, '.npmrc');
  const mine = await readNpmrc(file, env);
  const settings = { ...(locked ? {} : { ...own.settings, ...registryOf(env) }), ...mine.settings };
  const needed = neededSecrets({ ...own.secrets, ...mine.secrets }, { settings, mine, locked }, project.lock);
  const lines = Object.entries(needed).map(([name, value]) => `${name}=${value}\n`);
  const secrets = {
    ...(lines.length > 0 ? { npmrc: lines.join('') } : {}),
    ...(manager === 'yarn' && !locked ? await yarnSecrets(env) : {}),
    ...(await variableSecrets(project.directory, mine, { env, locked })),
  };
  const notices = [...literalNotices(file, mine), ...certificateNotices([...own.certificates, ...mine.certificates])];
  return { settings, secrets, notices, projectText: mine.text };
}

/** Later files win. */
async function readAll(
  files: readonly string[],
  env: CaptureContext['env'],
): Promise<Pick<Npmrc, 'settings' | 'secrets' | 'certificates'>> {
  const read: Npmrc[] = [];
  for (const file of files) read.push(await readNpmrc(file, env));
  return {
    settings: Object.assign({}, ...read.map(({ settings }) => settings)) as Record<string, string>,
    secrets: Object.assign({}, ...read.map(({ secrets }) => secrets)) as Record<string, string>,
    certificates: read.flatMap(({ certificates }) => certificates),
  };
}

function registryOf(env: CaptureContext['env']): { registry?: string } {
  const registry = env['npm_config_registry'] ?? env['NPM_CONFIG_REGISTRY'];
  return registry === undefined || holdsSecret(registry) ? {} : { registry };
}

/** Only of registries that packages come from; of the public one only where scoped packages, which may be private, do. */
function neededSecrets(
  secrets: Readonly<Record<string, string>>,
  { settings, mine, locked }: { readonly settings: Readonly<Record<string, string>>; readonly mine: Npmrc; readonly locked: boolean },
  { addresses }: Lock,
): Record<string, string> {
  const registries = Object.entries(settings).flatMap(([name, value]) => (name.endsWith('registry') ? [value] : []));
  const hosts = new Set([...registries, ...addresses.map(([, url]) => url)].map(hostOf));
  const scoped = !locked && addresses.some(([name]) => name.startsWith('@'));
  return Object.fromEntries(
    Object.entries(secrets).filter(([name]) => {
      const host = /^\/\/([^/:]+(?::\d+)?)/.exec(name)?.[1];
      if (host === undefined || name in mine.secrets) return true;
      return host === PUBLIC_HOST ? scoped : hosts.has(host);
    }),
  );
}

function hostOf(url: string): string {
  return /^(?:[a-z+]+:)?\/\/(?:[^@/]*@)?([^/]+)/.exec(url)?.[1] ?? '';
}

/** Members of .yarnrc.yml about registries. Source: yarnpkg.com, "Settings". */
const YARN_MEMBERS = ['npmRegistryServer', 'npmAuthToken', 'npmAuthIdent', 'npmAlwaysAuth', 'npmScopes', 'npmRegistries'];

async function yarnSecrets(env: CaptureContext['env']): Promise<{ yarnrc?: string }> {
  if (env['HOME'] === undefined) return {};
  const read = await readYarnRc(env['HOME'], (text) => expand(text, env));
  const members = Object.entries(read).filter(([name]) => YARN_MEMBERS.includes(name));
  return members.length === 0 ? {} : { yarnrc: JSON.stringify(Object.fromEntries(members)) };
}

/** What configuration of the project takes from the environment, and what managers look for there by themselves. */
async function variableSecrets(
  directory: string,
  mine: Npmrc,
  { env, locked }: { readonly env: CaptureContext['env']; readonly locked: boolean },
): Promise<Record<string, string>> {
  const names = new Set(locked ? mine.secretVariables : [...VARIABLES, ...mine.variables]);
  for (const name of ['.yarnrc.yml', 'bunfig.toml'])
    for (const variable of variablesIn(await readText(path.join(directory, name)))) names.add(variable);
  const set = [...names].flatMap((name) => (env[name] === undefined || NEVER.has(name) ? [] : [[`env:${name}`, env[name]] as const]));
  return Object.fromEntries(set);
}

/** A VM has its own. */
const NEVER: ReadonlySet<string> = new Set(['HOME', 'PATH', 'TMPDIR']);

function readText(file: string): Promise<string> {
  return unlessMissing(readFile(file, 'utf8'), '');
}

function literalNotices(file: string, { literal }: Npmrc): Notice[] {
  if (literal.length === 0) return [];
  const text = `${file} holds a secret (${[...new Set(literal)].join(', ')}), and travels with your files unless git ignores it; write \${NPM_TOKEN} there instead`;
  return [{ level: 'warning', text }];
}

function certificateNotices(names: readonly string[]): Notice[] {
  if (names.length === 0) return [];
  return [
    {
      level: 'warning',
      text: `client certificates of .npmrc (${names.join(', ')}) do not travel: the registry must know the VM otherwise`,
    },
  ];
}

/** @throws E_PACKAGE for addresses with credentials, which would be on record */
export function refuseSecretAddresses({ file, addresses }: Lock): void {
  const names = addresses.filter(([, url]) => holdsSecret(url)).map(([name]) => name);
  if (names.length === 0) return;
  throw new RawcloudError('E_PACKAGE', `${path.basename(file)} holds credentials in the URL of: ${[...new Set(names)].join(', ')}`, {
    remedy: 'Depend on them without credentials in the URL: registries find them in ~/.npmrc, which travels sealed.',
  });
}

/** User names of URLs are secrets too (tokens stand there), but for git's customary one. */
function holdsSecret(url: string): boolean {
  return /^[a-z+]+:\/\/(?!git@)[^/@\s]+@/i.test(url);
}
