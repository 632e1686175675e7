import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  bucketKeys,
  decodeJson,
  encodeJson,
  environmentId,
  environmentMark,
  EnvironmentUseSchema,
  jobKeys,
  USE_NOTED_EVERY_MS,
} from '../../lib/contract';
import type { Environment, EnvironmentCache, EnvironmentUse, Layer, Store } from '../../lib/contract';
import { createMemoryStore } from '../../lib/store/memory';
import { decodeEnvironment, encodeEnvironment } from '../../lib/store/environments/manifest';
import { python3, pythonTest, scratch } from '../capture/package-fixtures';
import { PREFIX, spec } from '../fakes/records';
import { TestVm } from './vm';
import type { VmOptions } from './vm';
import { Wheels } from './wheels';

const SECRET = 'ab'.repeat(32);

let store: Store;
let wheels: Wheels;
const vms: TestVm[] = [];

beforeEach(() => {
  store = createMemoryStore({ now: Date.now });
  wheels = new Wheels(path.join(scratch(), 'wheels'));
});
afterEach(async () => {
  for (const vm of vms.splice(0)) await vm.remove();
});

function layerOf(requirements: readonly string[]): Layer {
  const recipe = { python: python3!.minor, requirements: [...requirements].sort(), uv: false };
  return { kind: 'python', key: JSON.stringify(recipe), platform: 'linux-x86_64', recipe, sources: [], notices: [] };
}

interface Job extends Partial<VmOptions> {
  readonly requirements: readonly string[];
  readonly script?: string;
  readonly cache?: Partial<EnvironmentCache>;
}

/** A job on a VM of its own, all of them with the same bucket. */
async function start({ requirements, script = 'true', cache, ...options }: Job): Promise<TestVm> {
  const { environment } = spec();
  const vm = await TestVm.start({
    store,
    argv: ['sh', '-ec', script],
    path: [wheels.bin, path.dirname(python3!.executable), '/usr/bin', '/bin'].join(':'),
    spec: { environment: { ...environment, layers: [layerOf(requirements)] } },
    grant: { environments: { secret: SECRET, project: 'here', ...cache } },
    ...options,
  });
  vms.push(vm);
  return vm;
}

async function run(job: Job): Promise<TestVm> {
  const vm = await start(job);
  await vm.decided;
  return vm;
}

/** Packages that were installed since the last look. */
let seen = 0;
beforeEach(() => {
  seen = 0;
});
function installed(): string[] {
  const lines = readFileSync(wheels.log, 'utf8').split('\n').filter(Boolean);
  return lines.slice(seen, (seen = lines.length));
}

const keysOf = async (kind: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.list(bucketKeys.environments)) if (key.includes(kind)) keys.push(key);
  return keys;
};
const packs = async (): Promise<string[]> => (await keysOf('/')).filter((key) => /\/[0-9a-f]{64}$/.test(key));
const bodyOf = async (key: string): Promise<Uint8Array> => {
  const found = await store.get(key);
  if (typeof found === 'string') throw new Error(`${key} is ${found}`);
  return found.body;
};
const manifests = async (): Promise<Environment[]> => {
  const all: Environment[] = [];
  for (const key of await keysOf('/manifest')) all.push(await decodeEnvironment(await bodyOf(key)));
  return all;
};
const bytesOf = async (keys: readonly string[]): Promise<number> => {
  let sum = 0;
  for (const key of keys) sum += (await bodyOf(key)).byteLength;
  return sum;
};
const notices = async (vm: TestVm): Promise<string[]> => (await vm.beat()).notices.map(({ text }) => text);

describe('an environment', () => {
  pythonTest('is built by the first VM, and restored by the next one, which installs nothing', async () => {
    const requirements = [
      wheels.add('one', '1.0'),
      wheels.add('two', '2.0', { 'two/data.txt': 'x'.repeat(5000), 'two/empty/__init__.py': '' }),
    ];
    const script =
      'one; two; python -c "import two.empty, os; print(os.path.dirname(two.__file__) == os.path.join(os.environ[\'VIRTUAL_ENV\'], *two.__file__.split(os.sep)[-5:-1]))"; cat "$VIRTUAL_ENV/bin/activate"';
    for (const expected of [requirements, []]) {
      const vm = await run({ requirements, script });
      const venv = path.join(vm.root, 'var/lib/rawcloud/job/layers/python/venv');
      expect(await vm.text()).toBe(`1.0\n2.0\nTrue\nVIRTUAL_ENV=${venv}\n`);
      expect(installed()).toEqual(expected);
    }
    const [second] = vms.slice(-1) as [TestVm];
    expect(await notices(second)).toEqual([expect.stringMatching(/^environment restored from cache \(2 packages, [\d.]+ KiB\)$/)]);
    const [manifest] = await manifests();
    expect(JSON.stringify(manifest)).not.toContain('__pycache__');
  });

  pythonTest('with a package more takes over the rest, and moves and installs the difference alone', async () => {
    const noise = (): string => randomBytes(200_000).toString('base64');
    const old = ['big', 'other'].map((name) => wheels.add(name, '1', { [`${name}/noise.txt`]: noise() }));
    // On AWS it lies at the same place on every VM.
    const root = path.join(scratch(), 'vm');
    const sameRoot = async (job: Job): Promise<string> => {
      const text = await (await run({ ...job, root })).text();
      await vms.pop()!.remove();
      return text;
    };
    await sameRoot({ requirements: old });
    const before = await packs();
    const [big] = installed();
    const more = wheels.add('more', '3', { 'more/noise.txt': noise() });
    const script = 'big; more; python -c "import other" 2>&1 | tail -n1';
    expect(await sameRoot({ requirements: [big!, more], script })).toMatch(/^1\n3\nModuleNotFoundError/);
    expect(installed()).toEqual([more]);
    const sent = (await packs()).filter((key) => !before.includes(key));
    expect(await bytesOf(sent)).toBeLessThan((1.2 * (await bytesOf(before))) / 2);
    // What was taken over is restored by others as well.
    expect(await (await run({ requirements: [big!, more], script: 'big; more' })).text()).toBe('1\n3\n');
    expect(installed()).toEqual([]);
  });

  pythonTest('is one with files that two distributions share, and neither of them is taken over alone', async () => {
    const requirements = ['a', 'b'].map((name) => wheels.add(name, '1', { 'shared.py': `OF = "${name}"\n` }));
    await run({ requirements });
    expect((await manifests())[0]!.parts.map(({ name }) => name)).toContain('b + a');
    installed();
    const second = await run({ requirements: [requirements[0]!], script: 'python -c "import shared; print(shared.OF)"' });
    expect(await second.text()).toBe('a\n');
    expect(installed()).toEqual(['a==1']);
  });

  pythonTest('is built anew, and replaced, when it was asked for', async () => {
    const requirements = [wheels.add('one', '1')];
    await run({ requirements });
    wheels.add('one', '1', { 'one/__init__.py': 'VERSION = "1, another one"\n' });
    installed();
    expect(await (await run({ requirements, script: 'one', cache: { rebuild: true } })).text()).toBe('1, another one\n');
    expect(installed()).toEqual(requirements);
    expect(await (await run({ requirements, script: 'one' })).text()).toBe('1, another one\n');
    expect(installed()).toEqual([]);
  });

  pythonTest('of another owner, or for another project, is another one', async () => {
    const requirements = [wheels.add('one', '1')];
    await run({ requirements });
    installed();
    await run({ requirements, cache: { secret: 'cd'.repeat(32) } });
    expect(installed()).toEqual(requirements);
    await run({ requirements, cache: { project: 'there' } });
    expect(installed()).toEqual([]);
  });

  pythonTest('is noted for people: what it is, whose, which projects use it, and whose packs it needs; once a day', async () => {
    const noise = (): string => randomBytes(200_000).toString('base64');
    const requirements = [wheels.add('one', '1', { 'one/noise.txt': noise() })];
    const root = path.join(scratch(), 'vm');
    await run({ requirements, root });
    await vms.pop()!.remove();
    const noted = async (): Promise<EnvironmentUse[]> => {
      const all: EnvironmentUse[] = [];
      for (const key of await keysOf('/use')) all.push(decodeJson(EnvironmentUseSchema, await bodyOf(key), 'use'));
      return all;
    };
    const [first] = await noted();
    const [mine, theirs] = ['here', 'there'].map((project) => environmentMark(SECRET, 'project', project));
    expect(first).toMatchObject({ kind: 'python', packages: 1, owner: environmentMark(SECRET, 'owner'), projects: [mine], packsOf: [] });
    expect(JSON.stringify(first)).not.toContain(SECRET);
    // Later that day, for the same project: nothing is written.
    const [key] = await keysOf('/use');
    await store.put(key!, Buffer.from(JSON.stringify({ ...first, builtAt: 1 })));
    await run({ requirements });
    expect(await noted()).toMatchObject([{ builtAt: 1, projects: [mine] }]);
    await run({ requirements, cache: { project: 'there' } });
    expect(await noted()).toMatchObject([{ builtAt: 1, projects: [theirs, mine] }]);
    // A day later.
    const later = { ...store, get: aged(key!, USE_NOTED_EVERY_MS) };
    let puts = 0;
    await run({
      requirements,
      store: { ...later, put: (name, ...rest) => ((puts += name === key ? 1 : 0), store.put(name, ...rest)) },
    });
    expect(puts).toBe(1);
    // One that is made of it.
    await run({ requirements: [...requirements, wheels.add('two', '2')], root });
    await vms.pop()!.remove();
    const id = environmentId(key!.split('/')[2]!);
    expect((await noted()).map(({ packsOf }) => packsOf)).toContainEqual([id]);
  });

  pythonTest('is for others what was asked for, whatever the command makes of it', async () => {
    const requirements = [wheels.add('one', '1', { 'one/large.bin': randomBytes(3e6).toString('latin1') })];
    const script = `python -c 'import one; open(one.__file__, "w").write("VERSION = 0")'; one`;
    expect(await (await run({ requirements, script })).text()).toBe('0\n');
    expect(await (await run({ requirements, script: 'one' })).text()).toBe('1\n');
  });

  pythonTest('is waited for by a VM that needs the same meanwhile', async () => {
    const requirements = [wheels.add('one', '1')];
    const both = await Promise.all([start({ requirements, script: 'one' }), start({ requirements, script: 'one', store: echo(store) })]);
    await Promise.all(both.map((vm) => vm.decided));
    expect(installed()).toEqual(requirements);
  });
});

/** So much later, as far as that object is concerned. */
function aged(which: string, ms: number): Store['get'] {
  return async (key, options) => {
    const found = await store.get(key, options);
    return key === which && typeof found !== 'string' ? { ...found, now: found.modified + ms } : found;
  };
}

/** The same bucket, where environments are concerned; jobs lie elsewhere. */
function echo(shared: Store): Store {
  const own = createMemoryStore({ now: Date.now });
  const of = (key: string): Store => (key.startsWith(bucketKeys.environments) ? shared : own);
  return {
    ...own,
    get: (key, options) => of(key).get(key, options),
    put: (key, body, options) => of(key).put(key, body, options),
    renew: (key, options) => of(key).renew(key, options),
  };
}

describe('what goes wrong with the cache is no reason to fail', () => {
  const damage: Readonly<Record<string, () => Promise<void>>> = {
    'a pack is damaged': async () => {
      for (const key of await packs()) {
        const body = Buffer.from(await bodyOf(key));
        body[100]! ^= 1;
        await store.put(key, body);
      }
    },
    'a pack is too short': async () => {
      for (const key of await packs()) await store.put(key, (await bodyOf(key)).subarray(0, 200));
    },
    'a pack is gone': async () => {
      for (const key of await packs()) await store.delete(key);
    },
    'the manifest is damaged': async () => {
      for (const key of await keysOf('/manifest')) await store.put(key, (await bodyOf(key)).subarray(0, 50));
    },
    'the manifest is of another shape': async () => {
      for (const key of await keysOf('/manifest')) await store.put(key, await encodeEnvironment({ v: 1 } as Environment));
    },
    'the manifest leads out of the directory': async () => {
      const [key] = await keysOf('/manifest');
      const text = JSON.stringify((await manifests())[0]).replaceAll('venv/bin/one', '../../../../../one');
      await store.put(key!, await encodeEnvironment(JSON.parse(text) as Environment));
    },
  };

  for (const [title, harm] of Object.entries(damage)) {
    pythonTest(`${title}: said, built anew, replaced`, async () => {
      const requirements = [wheels.add('one', '1')];
      await run({ requirements });
      await harm();
      installed();
      const second = await run({ requirements, script: 'one' });
      expect(await second.text()).toBe('1\n');
      expect(await notices(second)).toEqual([expect.stringMatching(/^the cached environment cannot be used \(.*\): it is built anew$/)]);
      expect(installed()).toEqual(requirements);
      const third = await run({ requirements, script: 'one' });
      expect(await notices(third)).toEqual([expect.stringContaining('restored from cache')]);
      expect(installed()).toEqual([]);
    });
  }

  pythonTest('the bucket refuses everything below environments', async () => {
    const requirements = [wheels.add('one', '1')];
    const refuse = (key: string): void => {
      if (key.startsWith(bucketKeys.environments)) throw new Error('refused');
    };
    const between = (inner: Store): Store => ({
      ...inner,
      get: async (key, options) => (refuse(key), inner.get(key, options)),
      put: async (key, body, options) => (refuse(key), inner.put(key, body, options)),
    });
    const vm = await run({ requirements, script: 'one', between });
    expect(await vm.outcome()).toMatchObject({ outcome: 'ok' });
    expect(await vm.text()).toBe('1\n');
    expect(await vm.text('system')).toContain('the environment is not kept for later VMs: refused');
  });

  pythonTest('a VM that built it died: the next one takes over its lease', async () => {
    const requirements = [wheels.add('one', '1')];
    await run({ requirements });
    const [lease] = await keysOf('/lease');
    for (const key of [...(await keysOf('/manifest')), ...(await keysOf('/last'))]) await store.delete(key);
    await store.put(lease!, encodeJson({ v: 1, vm: 'dead', nonce: 'x', state: 'building' }));
    installed();
    const later = { ...store, get: aged(lease!, 38_000) };
    expect(await (await run({ requirements, script: 'one', store: later })).text()).toBe('1\n');
    expect(installed()).toEqual(requirements);
    expect((await manifests()).length).toBe(1);
  });

  pythonTest('a package that is not to be had fails as it does without a cache, and leaves no lease', async () => {
    await run({ requirements: [wheels.add('one', '1')] });
    const failed = await run({ requirements: ['one==1', 'none==9'] });
    expect(await failed.outcome()).toMatchObject({
      outcome: 'environment',
      message: expect.stringContaining('none has no version 9 in the package index') as string,
    });
    for (const key of await keysOf('/lease'))
      expect(JSON.parse(Buffer.from(await bodyOf(key)).toString())).toMatchObject({ state: 'over' });
  });
});

pythonTest('fails with the numbers when the disk is too small for what is to be restored', async () => {
  const requirements = [wheels.add('one', '1')];
  await run({ requirements });
  const [key] = await keysOf('/manifest');
  const [manifest] = await manifests();
  manifest!.parts[0]!.files[0]![1] = 5e15;
  await store.put(key!, await encodeEnvironment(manifest!));
  const vm = await run({ requirements });
  expect(await vm.outcome()).toMatchObject({
    outcome: 'environment',
    exitCode: 119,
    message: expect.stringMatching(/disk is too small for the environment: it takes \d+ TiB, and .* are free/) as string,
    remedy: expect.stringContaining('--disk') as string,
  });
});

pythonTest('a stop is not delayed by an environment that is being kept', async () => {
  const requirements = [wheels.add('one', '1')];
  const stuck = (inner: Store): Store => ({
    ...inner,
    put: (key, body, options) =>
      /environments\/.*\/[0-9a-f]{64}$/.test(key)
        ? new Promise((_resolve, reject) => options?.signal?.addEventListener('abort', () => reject(new Error('given up'))))
        : inner.put(key, body, options),
  });
  const vm = await start({ requirements, between: stuck });
  await vm.saw(/./, 'environment');
  while (!(await vm.has(jobKeys.outcome(PREFIX)))) await new Promise(setImmediate);
  await vm.control({ stop: { at: Date.now(), by: 'test' } });
  await vm.decided;
  expect(await vm.outcome()).toMatchObject({ outcome: 'ok' });
  expect(await manifests()).toEqual([]);
});
