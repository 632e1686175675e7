import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { bucketKeys, encodeGrant, encodeJson, jobKeys, RawcloudError, systemClock } from '../../lib/contract';
import type { Store } from '../../lib/contract';
import { INTERVALS, outcome, PREFIX, SHA, spec, VM_USER } from '../fakes/records';
import { isAlive } from '../setup/processes';
import { TestVm } from './vm';
import type { VmOptions } from './vm';

const vms: TestVm[] = [];

afterEach(async () => {
  for (const vm of vms.splice(0)) await vm.remove();
});

async function start(options: VmOptions): Promise<TestVm> {
  const vm = await TestVm.start(options);
  vms.push(vm);
  return vm;
}

async function run(options: VmOptions): Promise<TestVm> {
  const vm = await start(options);
  await vm.decided;
  return vm;
}

const sh = (script: string): string[] => ['sh', '-c', script];
const base = spec();

/** A store on whose `put` of a matching key something happens. */
function onPut(store: Store, matches: RegExp, act: (put: () => ReturnType<Store['put']>) => ReturnType<Store['put']>): Store {
  return {
    ...store,
    get requests() {
      return store.requests;
    },
    put: (key, body, options) => (matches.test(key) ? act(() => store.put(key, body, options)) : store.put(key, body, options)),
  };
}

const unavailable = (): RawcloudError => new RawcloudError('E_AWS', 'the bucket is out of reach', { retryable: true });

describe('exit codes', () => {
  test.each([
    ['true', { code: 0, reason: 'exited' }],
    ['exit 7', { code: 7, reason: 'exited' }],
    ['exit 127', { code: 127, reason: 'exited' }],
    ['kill -TERM $$', { code: 143, reason: 'signal', signal: 'SIGTERM' }],
    ['kill -KILL $$', { code: 137, reason: 'signal', signal: 'SIGKILL' }],
    ['kill -SEGV $$', { code: 139, reason: 'signal', signal: 'SIGSEGV' }],
  ])('sh -c "%s" is %o', async (script, exit) => {
    const vm = await run({ argv: sh(script) });
    expect((await vm.done()).results[0]!.exit).toEqual({ outOfMemory: false, ...exit });
    expect(await vm.outcome()).toMatchObject({ outcome: exit.code === 0 ? 'ok' : 'failed', exitCode: exit.code, by: `agent ${VM_USER}` });
  });

  test('a command that does not exist is 127', async () => {
    const vm = await run({ argv: ['no-such-program'] });
    expect((await vm.done()).results[0]!.exit).toMatchObject({ code: 127, reason: 'not-found' });
  });

  test.each(['./plain.txt', './directory'])('%s, which a shell cannot execute, is 126', async (file) => {
    const vm = await run({ argv: sh(`echo text >plain.txt; mkdir directory; exec ${file}`) });
    expect((await vm.done()).results[0]!.exit).toMatchObject({ code: 126 });
  });

  test('SIGKILL by the kernel for want of memory is told from any other', async () => {
    let kills = 3;
    const vm = await run({ argv: sh('kill -KILL $$'), oomKills: async () => kills++ });
    expect((await vm.done()).results[0]!.exit).toMatchObject({ code: 137, outOfMemory: true });
    expect(await vm.outcome()).toMatchObject({ outcome: 'failed', reason: 'out-of-memory' });
  });
});

describe('output', () => {
  test('of twenty megabytes of random bytes arrives unchanged', async () => {
    const content = randomBytes(20 * 2 ** 20);
    const vm = await run({ argv: ['cat'], stdin: content });
    expect((await vm.output()).equals(content)).toBe(true);
  });

  test('keeps both streams apart', async () => {
    const vm = await run({ argv: sh('echo out; echo err >&2; echo out; echo err >&2') });
    expect(await vm.text('stdout')).toBe('out\nout\n');
    expect(await vm.text('stderr')).toBe('err\nerr\n');
  });

  test('can be written by name, as scripts do', async () => {
    const vm = await run({ argv: sh('echo out >/dev/stdout; echo err >/dev/stderr') });
    expect([await vm.text('stdout'), await vm.text('stderr')]).toEqual(['out\n', 'err\n']);
  });

  test('arrives as it is written, after a silence too', async () => {
    const vm = await start({ argv: sh('until [ -e go ]; do sleep 0.01; done; echo one; until [ -e on ]; do sleep 0.01; done; echo two') });
    await vm.saw(/^$/);
    for (const [file, line] of [
      ['go', /one/],
      ['on', /two/],
    ] as const) {
      while ((await vm.beat().catch(() => undefined))?.phase !== 'busy') await systemClock.sleep(5);
      await writeFile(vm.file(file), '');
      await vm.saw(line);
    }
  });

  test('goes on after stdout was closed', async () => {
    const vm = await run({ argv: sh('echo out; exec >&-; echo err >&2; sleep 0.1; echo late >&2') });
    expect([await vm.text('stdout'), await vm.text('stderr')]).toEqual(['out\n', 'err\nlate\n']);
  });

  test('of a command whose daemon holds the pipe ends with the command', async () => {
    const vm = await run({ argv: sh('sleep 600 & echo $!') });
    expect((await vm.done()).results[0]!.exit.code).toBe(0);
    expect(isAlive(Number(await vm.text()))).toBe(false);
  });

  test('is whole although the bucket was away when the command ended', async () => {
    let failures = 1;
    const between = (store: Store): Store =>
      onPut(store, /\/log\//, async (put) => {
        if (failures-- > 0) throw unavailable();
        return put();
      });
    const content = randomBytes(18 * 2 ** 20);
    const vm = await run({ argv: ['cat'], stdin: content, between });
    expect((await vm.output()).equals(content)).toBe(true);
  }, 60_000);
});

describe('what the command gets', () => {
  test('a fresh environment: the chosen variables, the secret ones, none of the machine’s', async () => {
    const environment = { ...base.environment, variables: { CHOSEN: 'yes' } };
    const vm = await run({ argv: ['env'], spec: { environment }, grant: { variables: { TOKEN: 's3cret' } } });
    const env = Object.fromEntries(
      (await vm.text())
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/s).slice(0, 2)),
    ) as Record<string, string>;
    expect(env).toMatchObject({
      CHOSEN: 'yes',
      TOKEN: 's3cret',
      PYTHONUNBUFFERED: '1',
      RAWCLOUD_TASK_ID: '0',
      RAWCLOUD_TASK_COUNT: '1',
      RAWCLOUD_JOB_ID: base.job,
      HTTPS_PROXY: 'http://proxy:1',
      USER: 'tester',
      AWS_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    expect(env['HOME']).toContain(vm.root);
    expect(Object.keys(env).filter((name) => /SECRET_ACCESS|GRANT|AWS_CONTAINER/.test(name))).toEqual([]);
  });

  test('nothing of its secrets in what the agent writes', async () => {
    const vm = await run({ argv: ['true'], grant: { variables: { TOKEN: 's3cret-value' } } });
    for await (const { key } of vm.store.list('')) {
      const found = await vm.store.get(key);
      if (typeof found === 'object') expect(Buffer.from(found.body).includes('s3cret-value')).toBe(false);
    }
  });

  test('the null device to read when nothing was piped in', async () => {
    expect(await (await run({ argv: sh('cat | wc -c') })).text()).toMatch(/^\s*0\n$/);
  });

  test('credentials by an endpoint that wants its token', async () => {
    const credentials = {
      accessKeyId: 'A1',
      secretAccessKey: 'S1',
      sessionToken: 'T1',
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    };
    const ask = `curl -s -w ' %{http_code}\\n' "$AWS_CONTAINER_CREDENTIALS_FULL_URI"`;
    const script = `${ask} -H "Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN"; ${ask} -H 'Authorization: wrong'; ${ask}`;
    const vm = await run({ argv: sh(script), grant: { credentials } });
    const lines = (await vm.text()).trim().split('\n');
    expect(JSON.parse(lines[0]!.replace(/ 200$/, ''))).toEqual({
      AccessKeyId: 'A1',
      SecretAccessKey: 'S1',
      Token: 'T1',
      Expiration: credentials.expiresAt,
    });
    expect(lines.slice(1).join('\n')).not.toContain('S1');
    expect(lines.slice(1).every((line) => line.endsWith(' 403'))).toBe(true);
    expect((await vm.beat()).credentialsUntil).toBe(Date.parse(credentials.expiresAt));
  });
});

describe('ending a command', () => {
  test('on request: SIGTERM, and its result is stopped', async () => {
    const vm = await start({ argv: sh(`trap 'echo bye; exit 3' TERM; echo begun; while :; do sleep 0.01; done`) });
    await vm.saw(/begun/);
    await vm.control({ stop: { at: 0, by: 'me' } });
    expect(await vm.decided).toBe(true);
    expect(await vm.text()).toBe('begun\nbye\n');
    expect(await vm.outcome()).toMatchObject({ outcome: 'stopped', exitCode: 130 });
  });

  test('that is deaf: SIGKILL after the grace, to all of its group', async () => {
    const script = `trap '' TERM; sleep 600 & echo $!; while :; do sleep 0.01; done`;
    const vm = await start({ argv: sh(script), spec: { limits: { ...base.limits, graceS: 0.1 } } });
    await vm.saw(/\d+\n/);
    await vm.control({ stop: { at: 0, by: 'me' } });
    await vm.decided;
    expect((await vm.done()).results[0]!.exit).toMatchObject({ code: 130, signal: 'SIGKILL', reason: 'stopped', outOfMemory: false });
    expect(isAlive(Number(await vm.text()))).toBe(false);
  });

  test('when its task was cancelled', async () => {
    const vm = await start({ argv: sh('echo begun; exec sleep 600') });
    await vm.saw(/begun/);
    await vm.control({ cancelled: [[0, 4]] });
    await vm.decided;
    expect((await vm.outcome()).outcome).toBe('stopped');
  });

  test('that takes too long: 124', async () => {
    const vm = await run({ argv: sh('exec sleep 600'), spec: { limits: { ...base.limits, taskTimeoutS: 0.2 } } });
    expect((await vm.done()).results[0]!.exit).toMatchObject({ code: 124, reason: 'timeout' });
    expect(await vm.outcome()).toMatchObject({ outcome: 'timeout', reason: 'task-timeout' });
  });

  test('that does nothing for as long as its idle timeout: 124, with the numbers in the outcome', async () => {
    const vm = await run({
      argv: sh('exec sleep 600'),
      spec: { limits: { ...base.limits, idleS: 0.2 } },
      measureUsage: async () => ({ cpuMs: 7, diskBytes: 0, networkBytes: 0 }),
    });
    expect((await vm.done()).results[0]!.exit).toMatchObject({ code: 124, reason: 'timeout' });
    expect(await vm.outcome()).toMatchObject({
      outcome: 'timeout',
      reason: 'idle',
      exitCode: 124,
      message: expect.stringMatching(/^the command did next to nothing for 0.\d\d s: CPU 0.0 % of a core, disk 0 B\/s/) as string,
    });
    expect((await vm.beat()).notices).toMatchObject([{ level: 'warning' }]);
  });

  test('at the end of the lifetime, in time to save, and says so', async () => {
    const vm = await run({ argv: sh('echo begun; exec sleep 600'), grant: { lifetimeUntil: Date.now() + 2_000 } });
    expect(await vm.outcome()).toMatchObject({ outcome: 'timeout', reason: 'lifetime', exitCode: 124 });
    expect(await vm.text()).toBe('begun\n');
  });

  test('later, when the lifetime was moved: the guard hears of it', async () => {
    const vm = await start({ argv: sh('until [ -e go ]; do sleep 0.01; done') });
    while (!(await vm.has(jobKeys.claim(PREFIX, 0)))) await systemClock.sleep(5);
    const before = await vm.deadline();
    await vm.control({ lifetimeUntil: Date.now() + 7_200_000 });
    while ((await vm.deadline()) < before + 3_000) await systemClock.sleep(5);
    await writeFile(vm.file('go'), '');
  });

  test('by the power button: what it wrote is shipped, and drivers decide', async () => {
    const vm = await start({ argv: sh(`trap 'echo bye; exit 0' TERM; echo begun; while :; do sleep 0.01; done`) });
    await vm.saw(/begun/);
    vm.goDown();
    expect(await vm.decided).toBe(false);
    expect(await vm.text()).toBe('begun\nbye\n');
    expect(await vm.beat()).toMatchObject({ final: true, phase: 'ending' });
    expect(await vm.has(jobKeys.outcome(PREFIX))).toBe(false);
  });

  test('obeys what it understands of a newer control object', async () => {
    const vm = await start({ argv: sh('echo begun; exec sleep 600') });
    await vm.saw(/begun/);
    const newer = { v: 7, rev: 'x', stop: { why: 'new form' }, cancelled: 'all', watchUntil: null, more: 1 };
    await vm.store.put(jobKeys.control(PREFIX), encodeJson(newer));
    await vm.decided;
    expect((await vm.outcome()).outcome).toBe('stopped');
  });
});

test('a VM whose clock is ten minutes off lives as long as it should', async () => {
  for (const offMs of [600_000, -600_000]) {
    const clock = { now: () => Date.now() + offMs, sleep: systemClock.sleep.bind(systemClock) };
    const argv = sh('echo begun; until [ -e go ]; do sleep 0.01; done');
    const vm = await start({ argv, clock, grant: { lifetimeUntil: Date.now() + 120_000 } });
    await vm.saw(/begun/);
    const uptimeS = existsSync('/proc/uptime') ? os.uptime() : clock.now() / 1000;
    expect((await vm.deadline()) - uptimeS).toBeGreaterThan(110);
    expect((await vm.deadline()) - uptimeS).toBeLessThanOrEqual(121);
    await writeFile(vm.file('go'), '');
    await vm.decided;
    expect((await vm.outcome()).outcome).toBe('ok');
  }
});

describe('records', () => {
  test('a lost reply to the claim and to the result is no lost race', async () => {
    const between = (store: Store): Store =>
      onPut(store, /\/(claim|done)\.json$/, async (put) => {
        const first = await put();
        // What the store's own retry of the request is told.
        return first === 'lost' ? first : put();
      });
    const vm = await run({ argv: ['true'], between });
    expect((await vm.outcome()).outcome).toBe('ok');
  });

  test('are written as soon as the bucket can be reached again', async () => {
    let failures = 1;
    const between = (store: Store): Store =>
      onPut(store, /done\.json$/, async (put) => {
        if (failures-- > 0) throw unavailable();
        return put();
      });
    const vm = await run({ argv: ['true'], between });
    expect((await vm.outcome()).outcome).toBe('ok');
    expect(await vm.text('system')).toContain('the bucket is out of reach');
  });

  test('a claim that another VM holds is left to it', async () => {
    const between = (store: Store): Store => onPut(store, /claim\.json$/, async () => 'lost');
    const claim = encodeJson({ v: 1, vm: 'other', epoch: 0, nonce: 'theirs' });
    const vm = await start({ argv: sh('echo ran'), between: (store) => (void store.put(jobKeys.claim(PREFIX, 0), claim), between(store)) });
    expect(await vm.decided).toBe(false);
    expect(await vm.text()).toBe('');
  });

  test('an outcome that is there already stands', async () => {
    const vm = await start({ argv: sh('until [ -e go ]; do sleep 0.01; done') });
    await vm.store.put(jobKeys.outcome(PREFIX), encodeJson(outcome({ outcome: 'lost', by: 'somebody' })));
    while ((await vm.beat().catch(() => undefined))?.phase !== 'busy') await systemClock.sleep(5);
    await writeFile(vm.file('go'), '');
    await vm.decided;
    expect((await vm.outcome()).by).toBe('somebody');
  });

  test('the grant is gone from the bucket, and the last beat says that it is the last', async () => {
    const vm = await run({ argv: ['true'] });
    expect(await vm.has(bucketKeys.grant(VM_USER))).toBe(false);
    const beat = await vm.beat();
    expect(beat).toMatchObject({ final: true, phase: 'ending', exit: { code: 0 }, bootId: 'boot' });
    expect(Object.keys(beat.timings)).toEqual(expect.arrayContaining(['files', 'command', 'finish']));
    expect(beat.requests.put).toBeGreaterThan(3);
    const chunks: string[] = [];
    for await (const { key } of vm.store.list(jobKeys.logDirectory(PREFIX, VM_USER))) chunks.push(key);
    expect(beat.lastLog).toBe(chunks.length - 1);
  });

  test('fails with an outcome when the files cannot be brought', async () => {
    const between = (store: Store): Store => ({
      ...store,
      get requests() {
        return store.requests;
      },
      get: async (key, options) => (key.startsWith(bucketKeys.files) ? 'absent' : store.get(key, options)),
    });
    const vm = await run({ argv: ['true'], between });
    expect(await vm.outcome()).toMatchObject({ outcome: 'environment', reason: 'E_INTEGRITY', exitCode: 119 });
    expect(await vm.has(jobKeys.done(PREFIX, 0))).toBe(false);
  });

  test('fails with what to do when the disk is full', async () => {
    const root = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-agent-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'none', root], { stdio: 'ignore' });
    } catch {
      // Only root may mount.
      return rm(root, { recursive: true });
    }
    try {
      const vm = await TestVm.run({ argv: ['true'], root, stdin: randomBytes(1_000_000) });
      expect(await vm.outcome()).toMatchObject({ outcome: 'environment', reason: 'disk-full', remedy: expect.stringContaining('--disk') });
    } finally {
      execFileSync('umount', [root]);
      await rm(root, { recursive: true });
    }
  });

  test('fails loudly when the spec is of a newer version, and leaves the outcome to drivers', async () => {
    const vm = await start({
      argv: ['true'],
      between: (store) => (void store.put(jobKeys.spec(PREFIX), encodeJson({ ...spec(), v: 2 })), store),
    });
    await expect(vm.decided).rejects.toMatchObject({ code: 'E_NEWER' });
    expect(await vm.text('system')).toMatch(/cannot go on.*version 2/);
    expect(await vm.has(jobKeys.outcome(PREFIX))).toBe(false);
  });

  test('members of a spec that are not known are ignored', async () => {
    const vm = await run({ argv: ['true'], spec: { ...({ invented: true } as object) } });
    expect((await vm.outcome()).outcome).toBe('ok');
  });
});

test('a grant as it is written is one that the agent reads', () => {
  const text = Buffer.from(
    encodeGrant({
      v: 1,
      prefix: PREFIX,
      nodeSha256: SHA,
      agentSha256: SHA,
      serial: 0,
      variables: {},
      intervals: INTERVALS,
      lifetimeUntil: 1,
    }),
  ).toString();
  expect(JSON.parse(text)).toMatchObject({ prefix: PREFIX, serial: 0 });
});
