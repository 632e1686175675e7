import path from 'node:path';
import type { CaptureContext } from '../../contract';
import type { Credentials } from './index-credentials';
import { readText } from './read-text';

/** What a netrc has for a host, and for that user where one is named; as requests and uv look there. */
export async function netrcEntry(host: string, user: string, env: CaptureContext['env']): Promise<Credentials | undefined> {
  const home = env['HOME'];
  const files = env['NETRC'] ? [env['NETRC']] : home ? [path.join(home, '.netrc'), path.join(home, '_netrc')] : [];
  for (const file of files) {
    const text = await readText(file);
    const found = entriesOf(text ?? '').find((entry) => (entry.machine ?? host) === host && (user === '' || entry.login === user));
    if (found) return { user: found.login, password: found.password, from: file };
  }
  return undefined;
}

interface Entry {
  /** Absent for `default`, which comes last. */
  readonly machine?: string;
  readonly login: string;
  readonly password: string;
}

function entriesOf(text: string): Entry[] {
  const tokens = [...text.replace(/^\s*#.*$/gm, '').matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted?.replace(/\\(.)/g, '$1') ?? plain!,
  );
  const entries: { machine?: string; login: string; password: string }[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const [token, value = ''] = [tokens[at], tokens[at + 1]];
    const entry = entries.at(-1);
    if (token === 'default') entries.push({ login: '', password: '' });
    else if (token === 'machine') entries.push({ machine: value, login: '', password: '' });
    else if (token === 'login' && entry) entry.login = value;
    else if (token === 'password' && entry) entry.password = value;
    if (['machine', 'login', 'password', 'account', 'macdef'].includes(token!)) at++;
  }
  return entries;
}
