import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Layer, Store } from '../../lib/contract';
import { createMemoryStore } from '../../lib/store/memory';
import { python3, pythonTest, scratch } from '../capture/package-fixtures';
import { spec } from '../fakes/records';
import { CondaChannel } from './conda-channel';
import type { MadePackage } from './conda-channel';
import { addPackages } from './conda-packages';
import { TestVm } from './vm';
import { Wheels } from './wheels';

let store: Store;
let channel: CondaChannel;
let packages: MadePackage[];
const vms: TestVm[] = [];

beforeEach(async () => {
  store = createMemoryStore({ now: Date.now });
  channel = await CondaChannel.open(scratch());
  packages = addPackages(channel);
});
afterEach(async () => {
  for (const vm of vms.splice(0)) await vm.remove();
  await channel.close();
});

function layerOf(made: readonly MadePackage[], requirements: readonly string[] = []): Layer {
  const recipe = {
    name: 'lab',
    subdir: 'linux-64',
    packages: made.map(({ name, version, build, url, sha256 }) => ({ name, version, build, url, sha256 })),
    ...(requirements.length > 0 ? { pip: { python: python3!.minor, requirements, uv: false } } : {}),
    postLink: true,
    runners: [],
    tasks: {},
  };
  return { kind: 'conda', key: JSON.stringify(recipe), platform: 'linux-x86_64', recipe, sources: [], notices: [] };
}

/** What a job on a VM of its own prints, and where its environment lay. */
async function run(
  made: readonly MadePackage[],
  script: string,
  { wheels, requirements }: { wheels?: Wheels; requirements?: readonly string[] } = {},
): Promise<{ readonly text: string; readonly prefix: string; readonly asked: string[] }> {
  const before = channel.asked.length;
  const { environment } = spec();
  const vm = await TestVm.start({
    store,
    argv: ['sh', '-ec', script],
    ...(wheels ? { path: [wheels.bin, path.dirname(python3!.executable), '/usr/bin', '/bin'].join(':') } : {}),
    spec: { environment: { ...environment, layers: [layerOf(made, requirements)] } },
    grant: { environments: { secret: 'ab'.repeat(32), project: 'here' } },
  });
  vms.push(vm);
  await vm.decided;
  expect(await vm.outcome()).toMatchObject({ outcome: 'ok' });
  expect(await vm.text('environment')).not.toContain('cannot be');
  const asked = channel.asked.slice(before).map((at) => path.basename(at));
  return { text: await vm.text(), prefix: path.join(vm.root, 'var/lib/rawcloud/job/layers/conda/env'), asked };
}

pythonTest(
  'a conda environment is restored without asking its channel, also to another place; a package more is fetched alone',
  async () => {
    const script = 'greet; cat "$CONDA_PREFIX/linked.txt"';
    const first = await run(packages, script);
    expect(first.text).toBe(`hello from ${first.prefix}/share:end lab set\nsettings 1\n`);
    expect(first.asked).toHaveLength(packages.length);
    const second = await run(packages, script);
    expect(second.prefix).not.toBe(first.prefix);
    expect(second.text).toBe(`hello from ${second.prefix}/share:end lab set\nsettings 1\n`);
    expect(second.asked).toEqual([]);
    const more = channel.add({
      name: 'more',
      version: '3',
      depends: ['python'],
      python: ['more = more:main'],
      files: { 'site-packages/more.py': 'def main():\n    print("more")\n' },
    });
    const third = await run([...packages, more], `more; ${script}`);
    expect(third.text).toBe(`more\nhello from ${third.prefix}/share:end lab set\nsettings 1\n`);
    expect(third.asked).toEqual([more.fn]);
  },
);

pythonTest(
  'what pip has put into it is installed after it, and kept by package; what it replaced of conda is not taken for whole',
  async () => {
    const wheels = new Wheels(path.join(scratch(), 'wheels'));
    const installed = (): string[] => readFileSync(wheels.log, 'utf8').split('\n').filter(Boolean);
    const both = channel.add({
      name: 'both',
      version: '1',
      depends: ['python'],
      python: [],
      files: { 'site-packages/both/__init__.py': 'VERSION = "1 of conda"\n', 'site-packages/both/more.py': '' },
    });
    const of = [...packages, both];
    const script = 'greet; python -c "import both; print(both.VERSION)"';
    const requirements = [wheels.add('both', '2'), wheels.add('tiny', '1.5')];
    const first = await run(of, `${script}; tiny`, { wheels, requirements });
    const lines = (prefix: string, version: string): string => `hello from ${prefix}/share:end lab set\n${version}\n`;
    expect(first.text).toBe(`${lines(first.prefix, '2')}1.5\n`);
    expect(installed()).toEqual(requirements);

    const second = await run(of, `${script}; tiny`, { wheels, requirements });
    expect(second.text).toBe(`${lines(second.prefix, '2')}1.5\n`);
    expect(second.asked).toEqual([]);
    expect(installed()).toEqual(requirements);

    const third = await run(of, `${script}; tiny; extra`, { wheels, requirements: ['tiny==1.5', wheels.add('extra', '3')] });
    expect(third.text).toBe(`${lines(third.prefix, '1 of conda')}1.5\n3\n`);
    expect(third.asked).toEqual([both.fn]);
    expect(installed()).toEqual([...requirements, 'extra==3']);
  },
);
