import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bucketKeys, SETUP_LIMIT_S } from '../../lib/contract';
import type { Layer, SetupStep, Store } from '../../lib/contract';
import { runLogged } from '../../lib/agent/run-logged';
import { createMemoryStore } from '../../lib/store/memory';
import { sha256Of } from '../../lib/store/sha256';
import { python3, pythonTest, scratch } from '../capture/package-fixtures';
import { spec } from '../fakes/records';
import { FakeClock } from './fake-clock';
import { isAlive } from '../setup/processes';
import { TestVm } from './vm';
import type { VmOptions } from './vm';
import { Wheels } from './wheels';

let store: Store;
const vms: TestVm[] = [];

beforeEach(() => {
  store = createMemoryStore({ now: Date.now });
});
afterEach(async () => {
  for (const vm of vms.splice(0)) await vm.remove();
});

const command = (text: string): SetupStep => ({ kind: 'command', command: text });

async function script(name: string, text: string): Promise<SetupStep> {
  const content = sha256Of(Buffer.from(text));
  await store.put(bucketKeys.file(content), Buffer.from(text));
  return { kind: 'script', name, content };
}

function setupOf(steps: readonly SetupStep[], directory = '', timeoutS?: number): Layer {
  const sources = steps.flatMap((step) => (step.kind === 'script' ? [{ sha256: step.content, bytes: 1 }] : []));
  return {
    kind: 'setup',
    key: sha256Of(Buffer.from(JSON.stringify(steps))),
    platform: 'linux-x86_64',
    recipe: { steps, directory, ...(timeoutS === undefined ? {} : { timeoutS }) },
    sources,
    notices: [],
  };
}

async function run(layers: readonly Layer[], options: Partial<VmOptions> = {}): Promise<TestVm> {
  const { environment } = spec();
  const vm = await TestVm.run({
    store,
    argv: ['cat', 'made'],
    ...options,
    spec: { environment: { ...environment, layers: [...layers], variables: { TZ: 'UTC' } }, ...options.spec },
  });
  vms.push(vm);
  return vm;
}

test('runs scripts and commands in order where the command will run, with its variables', async () => {
  const steps = [
    await script('plain.sh', 'false || echo plain >> made\n'),
    await script('program', '#!/usr/bin/env -S bash -u\necho program >> made\n'),
    command('echo "$TZ $TOKEN" >> made\nHERE=1'),
    command('echo "${HERE:-none} $PWD" >> made'),
  ];
  const vm = await run([setupOf(steps, 'sub')], {
    grant: { variables: { TOKEN: 'a pass phrase' } },
    spec: { work: { kind: 'command', argv: ['cat', 'made'], cwd: 'sub' } },
  });
  expect(await vm.text()).toBe(`plain\nprogram\nUTC a pass phrase\nnone ${vm.file('sub')}\n`);
  expect((await vm.beat()).notices.map(({ text }) => text)).toContainEqual(expect.stringContaining('your machine itself'));
});

test('hides secret variables in what it says, in the log and in errors', async () => {
  const vm = await run([setupOf([command('echo "with $TOKEN"; exit 1')])], { grant: { variables: { TOKEN: 'a pass phrase' } } });
  expect(await vm.text('environment')).toContain('with ***');
  expect((await vm.outcome()).message).toBe(`the setup command 'echo "with $TOKEN"; exit 1' exited with 1: with ***`);
});

test('does not wait for a server that it has started, and leaves it to the job', async () => {
  const start = 'sleep 300 & echo $! > pid';
  const vm = await run([setupOf([command(start)])], { argv: ['sh', '-c', 'kill -0 $(cat pid) && echo on; kill $(cat pid)'] });
  expect(await vm.text()).toBe('on\n');
});

test.each<[string, string, RegExp]>([
  ['one that fails', 'echo soon; false; echo never', /^the setup command 'echo soon; false; echo never' exited with 1: soon$/],
  ['one that is not there', 'apt-get install x', /exited with \d+: /],
  ['one that ends by a signal', 'kill -KILL $$', /failed: bash -e exited with SIGKILL$/],
])('fails the job before its command on %s, and runs nothing after it', async (_what, text, message) => {
  const vm = await run([setupOf([command(text), command('echo after >> made')])], { argv: ['echo', 'started'], path: '/usr/bin:/bin' });
  expect(await vm.outcome()).toMatchObject({ outcome: 'environment', exitCode: 119, message: expect.stringMatching(message) as string });
  expect(await vm.text()).toBe('');
  expect(() => readFileSync(vm.file('made'))).toThrow('ENOENT');
});

test('fails where the agent is not root, and runs nothing', async () => {
  const vm = await run([setupOf([command('echo here >> made')])], { isRoot: false });
  expect(await vm.outcome()).toMatchObject({
    exitCode: 119,
    message: 'a setup runs as root, but this VM of the local cloud is a process of tester: nothing of it was run',
    remedy: expect.stringContaining('--driver namespace') as string,
  });
  expect(() => readFileSync(vm.file('made'))).toThrow('ENOENT');
});

test('fails the job when a command takes longer than was asked for, saying what it said last and what gives it longer', async () => {
  const vm = await run([setupOf([command('echo mirror 3 of 9; sleep 300')], '', 2)]);
  expect(await vm.outcome()).toMatchObject({
    outcome: 'environment',
    exitCode: 119,
    message: "the setup command 'echo mirror 3 of 9; sleep 300' took longer than 2.0 s, and was ended: mirror 3 of 9",
    remedy: expect.stringMatching(/^--setup-timeout gives it longer; .*image/) as string,
  });
});

test('fails, with all that was started, when it takes longer than it may', async () => {
  const clock = new FakeClock();
  let begun: (line: string) => void = () => undefined;
  const line = new Promise<string>((resolve) => (begun = resolve));
  const ended = runLogged('/bin/bash', ['-c', 'sleep 300 & echo $!; sleep 300'], {
    cwd: '/',
    env: {},
    signal: new AbortController().signal,
    clock,
    hide: (said) => said,
    say: async (said) => begun(said),
    timeoutMs: SETUP_LIMIT_S * 1000,
  }).catch((error: unknown) => error);
  const pid = Number(await line);
  expect(isAlive(pid)).toBe(true);
  await clock.advance(SETUP_LIMIT_S * 1000);
  expect(await ended).toMatchObject({ code: 'E_ENVIRONMENT', message: 'bash -c took longer than 30 min, and was ended' });
  expect(isAlive(pid)).toBe(false);
});

pythonTest('makes another environment of the same packages; the same setup is run again on each VM, and finds them cached', async () => {
  const wheels = new Wheels(path.join(scratch(), 'wheels'));
  const recipe = { python: python3!.minor, requirements: [wheels.add('one', '1.0')], uv: false };
  const python: Layer = { kind: 'python', key: JSON.stringify(recipe), platform: 'linux-x86_64', recipe, sources: [], notices: [] };
  const installed = (): number => readFileSync(wheels.log, 'utf8').split('\n').filter(Boolean).length;
  const withSetup = (text: string): Promise<TestVm> =>
    run([setupOf([command(text)]), python], {
      argv: ['sh', '-ec', 'cat made; one'],
      path: [wheels.bin, path.dirname(python3!.executable), '/usr/bin', '/bin'].join(':'),
      grant: { environments: { secret: 'ab'.repeat(32), project: 'here' } },
    });
  for (const [text, builds] of [
    ['echo A >> made', 1],
    ['echo A >> made', 1],
    ['echo B >> made', 2],
  ] as const) {
    const vm = await withSetup(text);
    expect(await vm.text()).toBe(`${text.slice(5, 6)}\n1.0\n`);
    expect(installed()).toBe(builds);
  }
});
