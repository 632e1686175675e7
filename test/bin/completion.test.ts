import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Cli } from './cli';

const CLI = path.resolve(__dirname, '../../dist/bin/rawcloud.js');
let home = '';

beforeAll(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'completion-'));
  const program = path.join(home, 'rawcloud');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`);
  chmodSync(program, 0o755);
  mkdirSync(path.join(home, 'rawcloud-cache/rawcloud'), { recursive: true });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function has(shell: string): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0;
}

/** A test in a shell that may not be there; skipped, its name says why. */
function inShell(shell: string, name: string, run: () => void): void {
  if (has(shell)) test(`${shell}: ${name}`, run);
  else test.skip(`${shell}: ${name} (skipped: ${shell} is not installed here)`, run);
}

function shell(program: string, args: readonly string[], script: string): string {
  const env = { PATH: `${home}:${process.env['PATH']}`, HOME: home, XDG_CACHE_HOME: path.join(home, 'rawcloud-cache') };
  return execFileSync(program, [...args, script], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** What bash would offer for the words; the last is what was typed so far. */
function bash(...words: string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const script = `eval "$(rawcloud completion bash)"; COMP_WORDS=(rawcloud ${quoted}); COMP_CWORD=${words.length}; _rawcloud; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return shell('bash', ['--norc', '-c'], script)
    .split('\n')
    .filter((line) => line !== '');
}

inShell('bash', 'completes verbs, options, values and verbs of verbs', () => {
  expect(bash('st')).toEqual(['status', 'stop']);
  expect(bash('run', '--spot')).toEqual(['--spot-policy']);
  expect(bash('run', '--spot-policy', '=', 'spot_')).toEqual(['spot_with_fallback']);
  expect(bash('local', 're')).toEqual(['reset']);
});

inShell('bash', 'completes jobs that were lately seen', () => {
  const file = path.join(home, 'rawcloud-cache/rawcloud/recent-jobs.json');
  writeFileSync(file, JSON.stringify({ v: 1, jobs: [{ job: 'j7k2m9', name: 'nightly', command: 'python x.py' }] }));
  expect(bash('status', '')).toEqual(['nightly', 'j7k2m9']);
  expect(bash('logs', '-f', 'ni')).toEqual(['nightly']);
  rmSync(file);
  expect(bash('status', '')).toEqual([]);
});

inShell('zsh', 'takes the script', () => {
  const script = 'autoload -U compinit && compinit -u -D; eval "$(rawcloud completion zsh)"; print $_comps[rawcloud]';
  expect(shell('zsh', ['-f', '-c'], script).trim()).toBe('_rawcloud');
});

inShell('fish', 'completes verbs and values', () => {
  const script = "rawcloud completion fish | source; complete -C 'rawcloud run --spot-policy spot_'";
  expect(shell('fish', ['--no-config', '-c'], script).trim()).toBe('spot_with_fallback');
});

async function offered(words: readonly string[], env: Record<string, string> = {}): Promise<string[]> {
  const cli = new Cli({ env });
  expect(await cli.run('__complete', '--', ...words)).toBe(0);
  expect(cli.connections).toEqual([]);
  return cli.stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0]!]));
}

describe('what is offered', () => {
  const table: readonly [string, readonly string[]][] = [
    ['run --arch ', ['x86_64', 'arm64']],
    ['run --region=us-west-', ['--region=us-west-2', '--region=us-west-1']],
    ['run --vm-type c7g.xl', ['c7g.xlarge']],
    ['run --env-file ', [':files']],
    ['run --download-to ', [':dirs']],
    ['run --cpu 4 python tr', [':files']],
    ['run -- ', [':files']],
    ['run --cpu ', []],
    ['-e', []],
    ['run -e TOK', ['TOKEN']],
    ['explain E_QU', ['E_QUOTA']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['help re', ['reap']],
    ['nonsense --x', []],
  ];
  test.each(table)('%s', async (line, expected) => {
    expect(await offered(line.split(' '), { TOKEN: 'secret' })).toEqual(expected);
  });
});

test('jobs are kept when they are started or listed', async () => {
  const env = { XDG_CACHE_HOME: path.join(home, 'kept') };
  await new Cli({ env }).run('run', 'true');
  expect(await offered(['status', ''], env)).toEqual(['j7k2m9']);
  await new Cli({ env }).run('ps');
  expect(await offered(['status', ''], env)).toEqual(['nightly', 'j7k2m9']);
});

test('fails on another shell', async () => {
  const cli = new Cli();
  expect(await cli.run('completion', 'tcsh')).toBe(2);
  expect(cli.stderr).toContain("shell 'tcsh' is not known; allowed are bash, zsh, fish");
});

test('help says all about a verb, and exit code 0', async () => {
  const cli = new Cli();
  expect(await cli.run('help', 'local', 'stop')).toBe(0);
  expect(cli.stdout).toContain('Usage: rawcloud local stop');
});

test('fails when help is asked for an unknown verb, with the nearest', async () => {
  const cli = new Cli();
  expect(await cli.run('help', 'stauts')).toBe(2);
  expect(cli.stderr).toContain("unknown command 'stauts'; did you mean status");
});
