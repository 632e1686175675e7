import { spawn } from 'node:child_process';
import { RawcloudError } from '../../contract';
import type { Notice } from '../../contract';
import type { CarriedLogin, FindLogin, LoginPlace } from './place';

/** Helpers that would ask a person are given up after so long. */
const PATIENCE_MS = 15_000;

/**
 * Credentials for the https hosts of this repository's remotes, from whatever helper git is set up with; remotes over ssh are
 * fetched over https on the VM, since no ssh key travels. Name and address for commits come along.
 * Source: git manual, gitcredentials(7), git-credential(1), git-config(1) on `url.<base>.insteadOf`.
 */
export const findGit: FindLogin = async (place) => {
  const hosts = await remoteHosts(place);
  const logins: GitLogin[] = [];
  for (const host of hosts) {
    const login = await ask(host, place);
    if (login) logins.push(login);
  }
  if (logins.length === 0) throw nothing(hosts);
  const settings = await gitOutput(['config', '--get-regexp', '^user\\.(name|email)$'], place).catch(() => '');
  const missing = hosts.filter((host) => logins.every((login) => login.host !== host));
  return carried(logins, settings, missing);
};

interface GitLogin {
  readonly host: string;
  readonly user: string;
  readonly password: string;
}

/** Hosts of all remotes, ports included, each once. */
async function remoteHosts(place: LoginPlace): Promise<string[]> {
  const text = await gitOutput(['config', '--get-regexp', '^remote\\..*\\.(url|pushurl)$'], place).catch((error: unknown) => {
    place.signal?.throwIfAborted();
    throw new RawcloudError('E_LOGIN', '--forward git: this is no git repository with a remote, or there is no git program', {
      remedy: 'Run it in a clone, or hand the token over with --secret-env.',
      cause: error,
    });
  });
  const urls = text.split('\n').map((line) => line.slice(line.indexOf(' ') + 1).trim());
  return [...new Set(urls.flatMap((url) => hostOf(url) ?? []))].sort();
}

/** `https://host:8443/x`, `ssh://git@host:22/x`, `git@host:x`. Of ssh the port means nothing for https. */
export function hostOf(url: string): string | undefined {
  const web = /^https:\/\/(?:[^@/]*@)?([^/]+)/.exec(url)?.[1];
  if (web !== undefined) return web;
  return /^ssh:\/\/(?:[^@/]*@)?([^/:]+)/.exec(url)?.[1] ?? /^(?:[\w.-]+@)([\w.-]+):(?!\/\/)/.exec(url)?.[1];
}

/** What git's helpers know of a host; undefined when they know nothing, or would ask. */
async function ask(host: string, place: LoginPlace): Promise<GitLogin | undefined> {
  const answer = await gitOutput(['credential', 'fill'], place, `protocol=https\nhost=${host}\n\n`).catch(() => '');
  place.signal?.throwIfAborted();
  const fields = new Map(answer.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
  const [user, password] = [fields.get('username'), fields.get('password')];
  return user && password ? { host, user, password } : undefined;
}

/** No terminal, no window: who would answer? */
const SILENT = { GIT_TERMINAL_PROMPT: '0', GCM_INTERACTIVE: 'never', GIT_ASKPASS: '', SSH_ASKPASS: '', LC_ALL: 'C' };

/** Its errors hold no output: that may be a password. */
function gitOutput(args: readonly string[], { env, cwd, signal }: LoginPlace, input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['-c', 'core.askPass=', ...args], {
      cwd,
      env: { ...env, ...SILENT },
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: PATIENCE_MS,
      ...(signal ? { signal } : {}),
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(Buffer.concat(chunks).toString('utf8')) : reject(new Error(`git ${args[0]} exited with ${code}`)),
    );
    // It may have ended before it read.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function carried(logins: readonly GitLogin[], settings: string, missing: readonly string[]): CarriedLogin {
  const quote = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const part = encodeURIComponent;
  const user = settings
    .split('\n')
    .flatMap((line) => /^user\.(name|email) (.*)$/.exec(line)?.slice(1, 3) ?? [])
    .reduce<string[]>((lines, text, i, all) => (i % 2 === 0 ? [...lines, `\t${text} = ${quote(all[i + 1]!)}`] : lines), []);
  const config = [
    '[credential]',
    '\thelper = store',
    ...(user.length > 0 ? ['[user]', ...user] : []),
    ...logins.flatMap(({ host }) => {
      const name = host.replace(/:\d+$/, '');
      return [
        `[url ${quote(`https://${host}/`)}]`,
        `\tinsteadOf = ${quote(`git@${name}:`)}`,
        `\tinsteadOf = ${quote(`ssh://git@${name}/`)}`,
      ];
    }),
  ];
  const store = logins.map(
    ({ host, user: name, password }) => `https://${part(name)}:${part(password)}@${part(host).replace('%3A', ':')}\n`,
  );
  const notices: Notice[] = missing.map((host) => ({
    level: 'warning',
    text: `git has no credentials for ${host} here, so the job has none`,
  }));
  return {
    files: { '.gitconfig': Buffer.from(`${config.join('\n')}\n`), '.git-credentials': Buffer.from(store.join('')) },
    variables: {},
    notices,
  };
}

function nothing(hosts: readonly string[]): RawcloudError {
  const looked = hosts.length === 0 ? 'no remote of this repository has a host' : `git's helpers know none for ${hosts.join(', ')}`;
  return new RawcloudError('E_LOGIN', `--forward git: there are no credentials to forward: ${looked}`, {
    remedy: "'git credential fill' shows what git finds; 'gh auth setup-git' and the like set a helper up. SSH keys do not travel.",
  });
}
