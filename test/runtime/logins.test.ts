import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Login } from '../../lib/contract';
import { findLogins } from '../../lib/runtime/logins';
import { hostOf } from '../../lib/runtime/logins/git';

const TOKEN = 'token-that-nobody-may-see';

let home: string;
let cwd: string;

beforeEach(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'logins-'));
  cwd = path.join(home, 'project');
  mkdirSync(cwd);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const file = path.join(home, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** A program that the PATH of a login's place finds first. */
function program(name: string, script: string): void {
  chmodSync(write(`bin/${name}`, `#!/bin/sh\n${script}\n`), 0o755);
}

async function find(login: Login, env: Record<string, string> = {}) {
  const PATH = `${path.join(home, 'bin')}:${process.env['PATH'] ?? ''}`;
  const found = await findLogins([login], { home, cwd, env: { PATH, HOME: home, GIT_CONFIG_NOSYSTEM: '1', ...env } });
  const files = Object.entries(found.files).map(([name, base64]) => [name, Buffer.from(base64, 'base64').toString('utf8')] as const);
  return { ...found, files: Object.fromEntries(files) };
}

function repository(remote: string): void {
  const git = (...args: string[]) => execFileSync('git', args, { cwd, env: { PATH: process.env['PATH'], HOME: home } });
  git('init', '-q');
  git('remote', 'add', 'origin', remote);
}

describe('--forward huggingface', () => {
  test.each([
    ['a variable', {}, { HF_TOKEN: TOKEN }],
    ['the usual file', { '.cache/huggingface/token': `${TOKEN}\n` }, {}],
    ['the file of HF_HOME', { 'hf/token': TOKEN }, { HF_HOME: '~/hf' }],
    ['the file of HF_TOKEN_PATH', { 'own/t': TOKEN }, { HF_TOKEN_PATH: '../own/t' }],
  ])('takes the token from %s', async (_, files, env) => {
    for (const [name, content] of Object.entries(files)) write(name, content);
    await expect(find('huggingface', env as Record<string, string>)).resolves.toEqual({
      files: {},
      variables: { HF_TOKEN: TOKEN },
      notices: [],
    });
  });

  test('fails where there is none, and says where it looked', async () => {
    await expect(find('huggingface')).rejects.toMatchObject({
      code: 'E_LOGIN',
      message: expect.stringContaining('.cache/huggingface/token') as string,
    });
  });
});

describe('--forward gcp', () => {
  const PLACE = '.config/gcloud/application_default_credentials.json';

  test('takes the file to where libraries look for it, and the project', async () => {
    const content = JSON.stringify({ type: 'authorized_user', refresh_token: TOKEN });
    write(PLACE, content);
    const found = await find('gcp', { GOOGLE_CLOUD_PROJECT: 'p' });
    expect(found).toEqual({ files: { [PLACE]: content }, variables: { GOOGLE_CLOUD_PROJECT: 'p' }, notices: [] });
  });

  test('says when the tokens come from a source of this machine', async () => {
    const file = write('key.json', JSON.stringify({ type: 'external_account' }));
    const found = await find('gcp', { GOOGLE_APPLICATION_CREDENTIALS: file });
    expect(found.notices).toEqual([{ level: 'warning', text: expect.stringContaining('external_account') as string }]);
  });

  test('fails for a file that is something else, without a word of it', async () => {
    const file = write('key.json', `${TOKEN}`);
    const failure = await find('gcp', { GOOGLE_APPLICATION_CREDENTIALS: file }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'E_LOGIN' });
    expect(String(failure)).not.toContain(TOKEN);
  });

  test('fails where there is none', async () => {
    await expect(find('gcp')).rejects.toMatchObject({ code: 'E_LOGIN', remedy: expect.stringContaining('gcloud auth') as string });
  });
});

describe('--forward kube', () => {
  test('takes what kubectl says of the current context', async () => {
    program('kubectl', `[ "$*" = 'config view --raw --flatten --minify' ] && echo 'user: {token: ${TOKEN}}'`);
    write('.kube/config', 'all contexts');
    await expect(find('kube')).resolves.toEqual({ files: { '.kube/config': `user: {token: ${TOKEN}}\n` }, variables: {}, notices: [] });
  });

  test('takes the whole file without kubectl, and names what would be missing', async () => {
    write(
      '.kube/config',
      'clusters:\n- cluster:\n    certificate-authority: /etc/ca.pem\nusers:\n- user:\n    exec:\n      command: aws\n',
    );
    const found = await find('kube', { PATH: path.join(home, 'bin') });
    expect(found.files['.kube/config']).toContain('certificate-authority');
    expect(found.notices.map(({ text }) => text).join('\n')).toMatch(/all of .*config travels[^]*program aws[^]*\/etc\/ca\.pem/);
  });

  test('fails when kubectl cannot read it', async () => {
    program('kubectl', 'exit 1');
    write('.kube/config', '-');
    await expect(find('kube')).rejects.toMatchObject({ code: 'E_LOGIN' });
  });
});

describe('--forward git', () => {
  test.each([
    ['https://git.example.com:8443/a/b.git', 'git.example.com:8443'],
    ['https://user@git.example.com/a', 'git.example.com'],
    ['ssh://git@git.example.com:22/a', 'git.example.com'],
    ['git@git.example.com:a/b.git', 'git.example.com'],
    ['/srv/repo.git', undefined],
    ['file:///srv/repo.git', undefined],
  ])('knows the host of %s', (url, host) => {
    expect(hostOf(url)).toBe(host);
  });

  test('takes credentials from git’s helper, and lets ssh remotes go by https', async () => {
    repository('git@git.example.com:a/b.git');
    write('.git-credentials', `https://dev:${TOKEN}%2F@git.example.com\n`);
    write('.gitconfig', '[credential]\n\thelper = store\n[user]\n\tname = "A \\"B\\" C"\n\temail = a@example.com\n');
    const { files, notices } = await find('git');
    expect(notices).toEqual([]);
    expect(files['.git-credentials']).toBe(`https://dev:${TOKEN}%2F@git.example.com\n`);
    // What was made is read by git itself.
    const config = write('made/.gitconfig', files['.gitconfig'] ?? '');
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd, env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: config } })
        .toString()
        .trim();
    expect(git('config', 'user.name')).toBe('A "B" C');
    expect(git('remote', 'get-url', 'origin')).toBe('https://git.example.com/a/b.git');
  });

  test('names a host that git has nothing for', async () => {
    repository('https://git.example.com/a');
    execFileSync('git', ['remote', 'add', 'other', 'https://other.example.com/a'], { cwd });
    write('.git-credentials', `https://dev:${TOKEN}@git.example.com\n`);
    write('.gitconfig', '[credential]\n\thelper = store\n');
    const { notices } = await find('git');
    expect(notices).toEqual([{ level: 'warning', text: 'git has no credentials for other.example.com here, so the job has none' }]);
  });

  test('fails without credentials, and asks nobody', async () => {
    repository('https://git.example.com/a');
    await expect(find('git')).rejects.toMatchObject({ code: 'E_LOGIN', message: expect.stringContaining('git.example.com') as string });
  });

  test('fails outside of a repository', async () => {
    await expect(find('git')).rejects.toMatchObject({ code: 'E_LOGIN', message: expect.stringContaining('no git repository') as string });
  });
});

test('fails when they are too large together', async () => {
  write('.config/gcloud/application_default_credentials.json', JSON.stringify({ type: 'service_account', pad: 'x'.repeat(1_000_000) }));
  await expect(find('gcp')).rejects.toMatchObject({ code: 'E_LOGIN', message: expect.stringContaining('allowed are 1000000') as string });
});
