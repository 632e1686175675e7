import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createProgram } from '../../bin/program';
import { problemsOf } from '../../bin/json/check';
import { Sink } from '../../bin/sink';
import { EVENT_DATA_SCHEMAS } from '../../lib/contract/event-schemas';
import type { LocalCloudControl } from '../../bin/io';
import type { Exec } from '../../lib/runtime/exec/open';
import { KEPT } from './fake-client';
import { Cli } from './cli';
import { WHOLE } from './fake-deployment';
import { DESTRUCTION } from './fake-destruction';
import { BILL, event, LAUNCHING, NOW, OFFER, output, RESULT, WATCHING } from './fake-client';

const status = async () => ({ running: true, directory: '/state', endpoint: 'http://127.0.0.1:4000', pid: 7, vms: 0 });
const CLOUD: LocalCloudControl = {
  start: status,
  stop: async () => true,
  status,
  reset: async () => undefined,
  serve: async () => undefined,
};
const CHUNKS = [{ stream: 'stdout' as const, task: 0, bytes: Buffer.from([104, 255, 10]) }];

/** Every verb, and what it needs to print something. */
const LINES: readonly (readonly [verb: string, words: string])[] = [
  ['run', 'run --json true'],
  ['run', 'run --json --detach true'],
  ['run', 'run --json --dry-run true'],
  ['run', 'run --json --download-to out true'],
  ['ps', 'ps --json'],
  ['status', 'status --json'],
  ['logs', 'logs --json'],
  ['logs --boot', 'logs --boot --json'],
  ['attach', 'attach --json'],
  ['stop', 'stop --json'],
  ['stop', 'stop --no-wait --json'],
  ['exec', 'exec --json j true'],
  ['extend', 'extend j 1h --json'],
  ['download', 'download --to out --json'],
  ['reap', 'reap --json'],
  ['doctor', 'doctor --json'],
  ['deploy', 'deploy --name team-a --yes --bootstrap --json'],
  ['destroy', 'destroy --yes --json'],
  ['local', 'local start --json'],
  ['local', 'local stop --json'],
  ['local', 'local status --json'],
  ['local', 'local reset --json'],
  ['env show', 'env show --json'],
  ['env diff', 'env diff --json'],
  ['env list', 'env list --all --json'],
  ['env delete', 'env delete --all --yes --json'],
  ['env build', 'env build --json'],
  ['explain', 'explain --json'],
  ['explain', 'explain E_QUOTA --json'],
  ['completion', 'completion bash --json'],
];

const entered: Exec['run'] = async (job = '', { onOutput }) => {
  await onOutput('stdout', Buffer.from([0x61, 0xff]));
  return { job, vm: 'i-1', code: 0 };
};

let project: string;
beforeAll(() => {
  project = path.join(mkdtempSync(path.join(os.tmpdir(), 'json-')), 'project');
  mkdirSync(project);
  writeFileSync(path.join(project, 'a.py'), 'print(1)\n');
});
afterAll(() => rmSync(path.dirname(project), { recursive: true }));

test.each(LINES)('%s: each line of `%s` is as documented', async (verb, words) => {
  const cli = new Cli({
    cloud: CLOUD,
    deployment: WHOLE,
    destruction: DESTRUCTION,
    script: { chunks: CHUNKS, bootLog: 'booted\n', kept: [KEPT] },
    exec: entered,
    // What reads this machine needs a project.
    ...(verb.startsWith('env ') ? { cwd: project, env: { HOME: path.dirname(project) } } : {}),
  });
  expect(await cli.run(...words.split(' '))).toBe(0);
  expect(cli.lines.length).toBeGreaterThan(0);
  expect(cli.lines.flatMap((line) => problemsOf(line, verb))).toEqual([]);
});

const WRONG = [
  'run --json --cpu x true',
  'ps --json --nonsense',
  'nonsense --json',
  'status nobody --json',
  'explain E_NOTHING --json',
  'help nonsense --json',
];

test.each([...WRONG, 'completion tcsh --json', 'extend j soon --json', 'local nonsense --json'])(
  'fails: `%s` with one documented line',
  async (words) => {
    const cli = new Cli();
    expect(await cli.run(...words.split(' '))).toBe(2);
    expect(cli.lines.map(({ type }) => type)).toEqual(['error']);
    expect(cli.lines.flatMap((line) => problemsOf(line, ''))).toEqual([]);
  },
);

test('no verb is left out above', () => {
  const cli = new Cli();
  const program = createProgram({ io: cli.io, out: new Sink(cli.out), err: new Sink(cli.err) }, async () => undefined);
  const verbs = program.commands.map((command) => command.name()).filter((name) => name !== 'help' && !name.startsWith('_'));
  expect(verbs.filter((name) => !LINES.some(([verb]) => verb.split(' ')[0] === name))).toEqual([]);
});

const outcome = { v: 1 as const, outcome: 'ok' as const, reason: 'exited', message: 'done', exitCode: 0, by: 'vm', at: NOW };
const EVERY = [
  ...LAUNCHING,
  ...WATCHING,
  event('launch.attempt', { n: 0, attempt: 2 }),
  event('vm.requested', { vmType: OFFER.vmType }),
  event('vm.pending', {}),
  event('vm.preparing', { detail: 'unpacking' }),
  event('vm.idle', {}),
  event('vm.gone', {}),
  event('environment.progress', { detail: 'numpy' }),
  event('task.started', {}, { task: 0 }),
  event('task.ended', { exit: { code: 0, outOfMemory: false, reason: 'exited' } }, { task: 0 }),
  event('notice', { level: 'info', text: 'a word' }),
  event('job.outcome', outcome),
  event('job.ended', { vms: 1, endedAt: NOW }),
  event('bill', BILL),
  output('stdout', '\ufffd', '/w=='),
];

test('events of every type are printed as documented', async () => {
  const cli = new Cli({ script: { watching: EVERY, result: { ...RESULT, remedy: 'none' } } });
  expect(await cli.run('attach', '--json')).toBe(0);
  expect(cli.lines.flatMap((line) => problemsOf(line, 'attach'))).toEqual([]);
  const seen = new Set(cli.lines.map(({ type }) => type));
  expect(Object.keys(EVENT_DATA_SCHEMAS).filter((type) => !seen.has(type))).toEqual([]);
});

test('fails: the check finds a key that is not documented, a wrong type and a missing envelope', () => {
  expect(problemsOf({ ...event('vm.idle', {}), data: { surprise: 1 } }, 'run')).not.toEqual([]);
  expect(problemsOf({ ...event('vm.idle', {}), type: 'vm.asleep' }, 'run')).toEqual(["type 'vm.asleep' is not known"]);
  expect(problemsOf({ type: 'notice', data: { level: 'info', text: 'x' } }, 'run')).not.toEqual([]);
});
