import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import type { CaptureContext } from '../../contract';
import { findExecutable } from '../executables';
import { parseToml } from '../toml';
import { netrcEntry } from './netrc';
import { readText } from './read-text';

type Env = CaptureContext['env'];

/** An index as a setting names it. */
export interface NamedIndex {
  /** As it stands there, credentials and all. */
  readonly url: URL;
  /** What the setting is called, for people. */
  readonly from: string;
  /** As projects call their indexes. */
  readonly name?: string;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
  /** Where they were found, for people. */
  readonly from: string;
}

/** A keyring that asks somebody, or a service that does not answer. */
const KEYRING_TIMEOUT_MS = 10_000;

/**
 * What the developer's tools would show to an index, in their order: the URL itself, the variables and the settings of uv and
 * poetry for its name, netrc, the keyring program. undefined: the index is asked without any.
 */
export async function credentialsOf(
  index: NamedIndex,
  context: Pick<CaptureContext, 'env' | 'cwd' | 'signal'>,
): Promise<Credentials | undefined> {
  const { env } = context;
  const user = decodeURIComponent(index.url.username);
  const password = decodeURIComponent(index.url.password);
  if (password !== '') return { user, password, from: index.from };
  return (
    ofVariables(index, env) ??
    (await ofPoetry(index, env)) ??
    (await netrcEntry(index.url.hostname, user, env)) ??
    (await ofKeyring(index, user, context)) ??
    (user === '' ? undefined : { user, password: '', from: index.from })
  );
}

function ofVariables({ name }: NamedIndex, env: Env): Credentials | undefined {
  if (name === undefined) return undefined;
  const upper = name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
  for (const prefix of [`UV_INDEX_${upper}`, `POETRY_HTTP_BASIC_${upper}`]) {
    const [user, password] = [env[`${prefix}_USERNAME`], env[`${prefix}_PASSWORD`]];
    if (user || password) return { user: user ?? '', password: password ?? '', from: `${prefix}_USERNAME and ${prefix}_PASSWORD` };
  }
  return undefined;
}

const AuthSchema = v.object({
  'http-basic': v.optional(v.record(v.string(), v.object({ username: v.string(), password: v.optional(v.string(), '') })), {}),
});

/** `poetry config http-basic.NAME` keeps them there where there is no keyring. */
async function ofPoetry({ name }: NamedIndex, env: Env): Promise<Credentials | undefined> {
  const home = env['HOME'];
  if (name === undefined || home === undefined) return undefined;
  const directories = [
    env['POETRY_CONFIG_DIR'],
    path.join(env['XDG_CONFIG_HOME'] ?? path.join(home, '.config'), 'pypoetry'),
    path.join(home, 'Library', 'Application Support', 'pypoetry'),
  ].filter((directory) => directory !== undefined);
  for (const directory of directories) {
    const file = path.join(directory, 'auth.toml');
    const text = await readText(file);
    const parsed = text === undefined ? undefined : v.safeParse(AuthSchema, await parseToml(text));
    const found = parsed?.success ? parsed.output['http-basic'][name] : undefined;
    if (found) return { user: found.username, password: found.password, from: `http-basic.${name} in ${file}` };
  }
  return undefined;
}

const AnswerSchema = v.object({ username: v.string(), password: v.string() });

/** Asked as uv and pip ask it: for a user that is known; without one only where the developer has chosen the keyring. */
async function ofKeyring(
  { url }: NamedIndex,
  user: string,
  { env, cwd, signal }: Pick<CaptureContext, 'env' | 'cwd' | 'signal'>,
): Promise<Credentials | undefined> {
  const isChosen = env['UV_KEYRING_PROVIDER'] === 'subprocess' || env['PIP_KEYRING_PROVIDER'] === 'subprocess';
  if (user === '' && !isChosen) return undefined;
  const program = await findExecutable('keyring', { env, cwd });
  if (program === undefined) return undefined;
  const place = cleanUrl(url);
  for (const service of [place, url.host]) {
    const args = user === '' ? ['--mode', 'creds', '--output', 'json', 'get', service] : ['get', service, user];
    const said = await answerOf(program, args, { env, cwd, ...(signal ? { signal } : {}) });
    if (said === undefined) continue;
    const from = `keyring (${service})`;
    if (user !== '') return { user, password: said, from };
    const parsed = v.safeParse(AnswerSchema, jsonOf(said));
    if (parsed.success) return { user: parsed.output.username, password: parsed.output.password, from };
  }
  return undefined;
}

async function answerOf(
  program: string,
  args: readonly string[],
  options: { env: Env; cwd: string; signal?: AbortSignal },
): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { ...options, timeout: KEYRING_TIMEOUT_MS });
    return stdout.trim() || undefined;
  } catch {
    // It knows nothing of this service, or cannot be asked: then pip and uv go on without it, too.
    options.signal?.throwIfAborted();
    return undefined;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Without user and password. */
export function cleanUrl(url: URL): string {
  const clean = new URL(url);
  clean.username = '';
  clean.password = '';
  return clean.href;
}

/** With them, as installers take it. */
export function urlWith(url: URL, { user, password }: Credentials): string {
  const full = new URL(cleanUrl(url));
  full.username = encodeURIComponent(user);
  full.password = encodeURIComponent(password);
  return full.href;
}
