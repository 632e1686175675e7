import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { unlessMissing } from '../../contract';
import type { NodeManager } from '../../contract';

/** Settings that hold a secret, whatever registry they are for. Source: npm documentation, "npmrc". */
const SECRET = /^(?:\/\/[^=]*:)?(?:_authToken|_auth|_password|username)$/;

/** What is about files of this machine, and of no use elsewhere. */
const CERTIFICATE = /^(?:\/\/[^=]*:)?(?:certfile|keyfile|cert|key)$/;

/** Settings of the developer's own that change what is installed. The project's are in the tree. */
const SETTINGS =
  /^(?:registry|@[^:]+:registry|ignore-scripts|legacy-peer-deps|strict-peer-dep(?:s|endencies)|install-links|install-strategy|node-linker|hoist|hoist-pattern(?:\[\])?|public-hoist-pattern(?:\[\])?|shamefully-hoist|auto-install-peers|strict-ssl)$/;

export interface Npmrc {
  /** Free of secrets. */
  readonly settings: Readonly<Record<string, string>>;
  /** Lines by name: of what holds credentials. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Names of settings whose secret is written in the file as it is. */
  readonly literal: readonly string[];
  /** Settings that are left out, as what they name is here only. */
  readonly certificates: readonly string[];
  /** Variables that it takes values from, */
  readonly variables: readonly string[];
  /** and those of them that stand for credentials. */
  readonly secretVariables: readonly string[];
  /** All but secrets, as written: two of them are the same environment. */
  readonly text: string;
}

const NONE: Npmrc = { settings: {}, secrets: {}, literal: [], certificates: [], variables: [], secretVariables: [], text: '' };

/** Reads an .npmrc; nothing when there is none. */
export async function readNpmrc(file: string, env: Readonly<Record<string, string | undefined>>): Promise<Npmrc> {
  const text = await unlessMissing(readFile(file, 'utf8'), undefined);
  if (text === undefined) return NONE;
  const lines = text.split(/\r?\n/).flatMap(parseLine);
  const isSecret = ({ name, value }: Line): boolean => SECRET.test(name) || /:\/\/[^/\s@]+@/.test(value);
  const secret = lines.filter(isSecret);
  const plain = lines.filter((line) => !isSecret(line) && !CERTIFICATE.test(line.name));
  return {
    settings: record(
      plain.filter(({ name }) => SETTINGS.test(name)),
      env,
    ),
    secrets: record(secret, env),
    literal: secret.filter(({ value }) => variablesIn(value).length === 0).map(({ name }) => name.replace(/^.*:(?=_|username)/, '')),
    certificates: lines.filter(({ name }) => CERTIFICATE.test(name)).map(({ name }) => name.replace(/^.*:/, '')),
    variables: variablesIn(text),
    secretVariables: variablesIn(secret.map(({ value }) => value).join(' ')),
    text: plain.map(({ name, value }) => `${name}=${value}`).join('\n'),
  };
}

interface Line {
  readonly name: string;
  readonly value: string;
}

function parseLine(line: string): Line[] {
  const [, name, value] = /^\s*([^\s#;=][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
  return name !== undefined && value !== undefined ? [{ name, value: value.replace(/^(["'])(.*)\1$/, '$2') }] : [];
}

function record(lines: readonly Line[], env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(lines.map(({ name, value }) => [name, expand(value, env)]));
}

/** Unset ones stay as they are, as npm leaves them. */
export function expand(value: string, env: Readonly<Record<string, string | undefined>>): string {
  return value.replace(/\$\{([^}]+)\}/g, (all, name: string) => env[name.replace(/[?:].*$/, '')] ?? all);
}

/** `${NPM_TOKEN}`, `${NPM_TOKEN:-}`, `$NPM_TOKEN` */
export function variablesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name]) => name!))];
}

/** Where the developer's own settings lie; later ones win. Sources: npm documentation "npmrc", pnpm.io "Settings". */
export function userFiles(manager: NodeManager, env: Readonly<Record<string, string | undefined>>): string[] {
  const home = env['HOME'];
  const named = env['npm_config_userconfig'] ?? env['NPM_CONFIG_USERCONFIG'] ?? '';
  const config = env['XDG_CONFIG_HOME'] ?? (home && path.join(home, '.config'));
  const ofPnpm = manager === 'pnpm' && config ? ['rc', 'auth.ini'].map((name) => path.join(config, 'pnpm', name)) : [];
  const ofNpm = named !== '' ? [named] : home ? [path.join(home, '.npmrc')] : [];
  return [...ofPnpm, ...ofNpm];
}
