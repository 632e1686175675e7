import path from 'node:path';
import type { Layer, Store } from '../../lib/contract';
import { createMemoryStore } from '../../lib/store/memory';
import { pythonTest, scratch } from '../capture/package-fixtures';
import { spec } from '../fakes/records';
import { CondaChannel } from './conda-channel';
import type { MadePackage } from './conda-channel';
import { addPackages } from './conda-packages';
import { TestVm } from './vm';

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

function layerOf(made: readonly MadePackage[]): Layer {
  const recipe = {
    name: 'lab',
    subdir: 'linux-64',
    packages: made.map(({ name, version, build, url, sha256 }) => ({ name, version, build, url, sha256 })),
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
): Promise<{ readonly text: string; readonly prefix: string; readonly asked: string[] }> {
  const before = channel.asked.length;
  const { environment } = spec();
  const vm = await TestVm.start({
    store,
    argv: ['sh', '-ec', script],
    spec: { environment: { ...environment, layers: [layerOf(made)] } },
    grant: { environments: { secret: 'ab'.repeat(32), project: 'here' } },
  });
  vms.push(vm);
  await vm.decided;
  expect(await vm.outcome()).toMatchObject({ outcome: 'ok' });
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
