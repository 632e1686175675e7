import path from 'node:path';
import * as v from 'valibot';
import { CONDA_SECRETS } from '../../contract';
import type { CaptureContext } from '../../contract';
import { parseYaml } from '../node/yaml';
import { netrcEntry } from '../python/netrc';
import { readText } from '../python/read-text';
import { plainUrl } from './channels';

type Env = CaptureContext['env'];

/** What opens channels, and where it was found. */
export interface ChannelCredentials {
  /** By name, as a layer's secrets. */
  readonly secrets: Readonly<Record<string, string>>;
  /** By origin of the channel, for people. */
  readonly found: Readonly<Record<string, string>>;
}

/** A secret of a layer by its name, and where it was found. */
interface Opening {
  readonly name: string;
  readonly value: string;
  readonly from: string;
}

/**
 * What conda, mamba and rattler would show to the places that packages come from, where the recorded URLs do not tell it: tokens and
 * passwords in URLs of condarc, the files of `pixi auth login` and `micromamba auth login`, netrc; the first that has one.
 * @param urls - of packages, without credentials
 * @param known - what the recorded URLs tell already
 */
export async function channelCredentials(
  urls: readonly string[],
  known: Readonly<Record<string, string>>,
  where: { readonly env: Env; readonly prefix: string },
): Promise<ChannelCredentials> {
  const isOpen = (url: string): boolean => Object.keys(known).some((name) => isUnder(url, scopeOf(name)));
  const closed = urls.filter((url) => /^https?:/.test(url) && !isOpen(url));
  const origins = [...new Set(closed.map((url) => new URL(url).origin))].sort();
  const secrets: Record<string, string> = { ...known };
  const found: Record<string, string> = {};
  if (origins.length === 0) return { secrets, found };
  const ofFiles = [...(await ofCondarc(where)), ...(await ofAuthFiles(origins, where.env))];
  for (const origin of origins) {
    const places = closed.filter((url) => new URL(url).origin === origin);
    const fitting = ofFiles.filter(({ name }) => places.some((url) => isUnder(url, scopeOf(name))));
    const openings = fitting.length > 0 ? fitting : await ofNetrc(origin, where.env);
    // The first that was found is the one that counts: the rest is of files farther away.
    for (const { name, value } of openings) secrets[name] ??= value;
    if (openings.length > 0) found[origin] = [...new Set(openings.map(({ from }) => from))].join(', ');
  }
  return { secrets, found };
}

/** The URL under which a secret counts. */
function scopeOf(name: string): string {
  return name.slice(name.indexOf(' ') + 1);
}

function isUnder(url: string, scope: string): boolean {
  return url.startsWith(scope.endsWith('/') ? scope : `${scope}/`);
}

/** Closest to the user first. Source: conda's documentation "Searching for .condarc"; mamba reads its own besides. */
function condarcFiles({ env, prefix }: { env: Env; prefix: string }): string[] {
  const home = env['HOME'];
  const config = env['XDG_CONFIG_HOME'] ?? (home && path.join(home, '.config'));
  const places = [
    env['CONDARC'],
    env['MAMBARC'],
    ...(home ? [path.join(home, '.condarc'), path.join(home, '.conda', '.condarc'), path.join(home, '.mambarc')] : []),
    ...(config ? [path.join(config, 'conda', '.condarc')] : []),
    path.join(prefix, '.condarc'),
    env['CONDA_EXE'] && path.join(path.dirname(path.dirname(env['CONDA_EXE'])), '.condarc'),
    env['MAMBA_ROOT_PREFIX'] && path.join(env['MAMBA_ROOT_PREFIX'], '.condarc'),
    '/etc/conda/.condarc',
  ];
  return [...new Set(places.flatMap((place) => place || []))];
}

async function ofCondarc(where: { readonly env: Env; readonly prefix: string }): Promise<Opening[]> {
  const alias = where.env['CONDA_CHANNEL_ALIAS'];
  const all = alias === undefined ? [] : openingsIn([alias], 'CONDA_CHANNEL_ALIAS', where.env);
  for (const file of condarcFiles(where)) {
    const text = await readText(file);
    if (text !== undefined) all.push(...openingsIn(urlsIn(parsed(text)), file, where.env));
  }
  return all;
}

/** What conda could not read either says nothing about where it took packages from. */
function parsed(text: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    return undefined;
  }
}

/** Channels stand in several settings: alone, in lists, and by name. */
function urlsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^\w+:\/\//.test(value) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(urlsIn) : [];
}

/** Variables in URLs, as conda takes them. */
function openingsIn(urls: readonly string[], from: string, env: Env): Opening[] {
  const expanded = urls.map((url) =>
    url.replace(/\$\{(\w+)\}|\$(\w+)/g, (whole, braced?: string, bare?: string) => env[braced ?? bare!] ?? whole),
  );
  return expanded.flatMap((url) =>
    Object.entries(plainUrl(url.replace(/\/*$/, '/'))?.secrets ?? {}).map(([name, value]) => ({ name, value, from })),
  );
}

/** rattler's `Authentication`, and mamba's. */
const AuthSchema = v.union([
  v.object({ BearerToken: v.string() }),
  v.object({ CondaToken: v.string() }),
  v.object({ BasicHTTP: v.object({ username: v.string(), password: v.string() }) }),
  v.object({ type: v.literal('CondaToken'), token: v.string() }),
  v.object({ type: v.literal('BearerToken'), token: v.string() }),
  v.object({ type: v.literal('BasicHTTPAuthentication'), user: v.string(), password: v.string() }),
]);
const AuthFileSchema = v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.unknown()));

async function ofAuthFiles(origins: readonly string[], env: Env): Promise<Opening[]> {
  const home = env['HOME'];
  const files = [
    env['RATTLER_AUTH_FILE'],
    ...(home ? [path.join(home, '.rattler', 'credentials.json'), path.join(home, '.mamba', 'auth', 'authentication.json')] : []),
  ];
  const all: Opening[] = [];
  for (const file of files.filter((place) => place !== undefined && place !== '')) {
    const { success, output } = v.safeParse(AuthFileSchema, (await readText(file!)) ?? '{}');
    if (!success) continue;
    for (const origin of origins) all.push(...openingsFor(output, origin, file!));
  }
  return all;
}

/** By host, a `*.` at its beginning for all below it; the longest that fits. */
function openingsFor(entries: Readonly<Record<string, unknown>>, origin: string, from: string): Opening[] {
  const { host, hostname } = new URL(origin);
  const fits = (key: string): boolean =>
    key === host ||
    key === hostname ||
    key === origin ||
    (key.startsWith('*.') && (hostname.endsWith(key.slice(1)) || hostname === key.slice(2)));
  const [key] = Object.keys(entries)
    .filter(fits)
    .sort((a, b) => b.length - a.length);
  const { success, output } = v.safeParse(AuthSchema, key === undefined ? undefined : entries[key]);
  if (!success) return [];
  if ('BearerToken' in output) return [{ name: CONDA_SECRETS.bearer + origin, value: output.BearerToken, from }];
  if ('CondaToken' in output) return [{ name: CONDA_SECRETS.token + origin, value: output.CondaToken, from }];
  if ('BasicHTTP' in output) return [login(origin, output.BasicHTTP.username, output.BasicHTTP.password, from)];
  if (output.type === 'BearerToken') return [{ name: CONDA_SECRETS.bearer + origin, value: output.token, from }];
  if (output.type === 'CondaToken') return [{ name: CONDA_SECRETS.token + origin, value: output.token, from }];
  // mamba writes it so that nobody reads it by chance.
  return [login(origin, output.user, Buffer.from(output.password, 'base64').toString(), from)];
}

function login(origin: string, user: string, password: string, from: string): Opening {
  const url = new URL(origin);
  const value = `${url.protocol}//${encodeURIComponent(user)}:${encodeURIComponent(password)}@${url.host}`;
  return { name: CONDA_SECRETS.login + origin, value, from };
}

async function ofNetrc(origin: string, env: Env): Promise<Opening[]> {
  const entry = await netrcEntry(new URL(origin).hostname, '', env);
  return entry && entry.password !== '' ? [login(origin, entry.user, entry.password, entry.from)] : [];
}
