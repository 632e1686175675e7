import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { builders } from '../../lib/agent/builders';
import { condaParts, solveId } from '../../lib/agent/builders/conda/parts';
import { capturePackages } from '../../lib/capture/packages';
import type { CapturedPackages } from '../../lib/capture/packages';
import type { CaptureContext, CondaRecipe } from '../../lib/contract';
import { context, scratch, writeProgram } from '../capture/package-fixtures';
import { fakeVm } from './build-io';
import type { FakeVm } from './build-io';
import { CondaChannel, writeCondaMeta } from './conda-channel';

const TOKEN = 'tk-0123456789abcdef';

let channel: CondaChannel;
beforeEach(async () => {
  channel = await CondaChannel.open(scratch());
});
afterEach(() => channel.close());

/** An environment of macOS, from a channel that asks for a token; what Linux has of it. */
async function captured(change: Partial<CaptureContext> = {}): Promise<{ layers: CapturedPackages; there: readonly unknown[] }> {
  const mac = { subdir: 'osx-arm64', files: { 'lib/x': '' } };
  const here = [
    channel.add({ name: 'tell', version: '1.0', build: 'mac_0', depends: ['libcxx'], ...mac }),
    channel.add({ name: 'libcxx', version: '17.0', ...mac }),
  ];
  const there = [
    channel.add({ name: 'mutex', version: '0.1', files: { 'lib/mutex': 'm' } }),
    channel.add({
      name: 'tell',
      version: '1.1',
      build: 'linux_0',
      files: { 'bin/tell': { content: '#!/bin/sh\necho told\n', mode: 0o755 } },
    }),
  ];
  channel.token = TOKEN;
  const root = scratch();
  const prefix = path.join(root, 'lab');
  writeCondaMeta(
    prefix,
    here.map((made) => ({ ...made, url: made.url.replace('/shop/', `/t/${TOKEN}/shop/`) })),
  );
  const env = { CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: 'lab', PATH: '/usr/bin:/bin' };
  const layers = await capturePackages(context(root, ['make'], { env, here: 'darwin-arm64', ...change }));
  return { layers, there: there.map(({ name, version, build, url, sha256 }) => ({ name, version, build, url, sha256 })) };
}

interface Solver {
  readonly vm: FakeVm;
  /** What it was asked, and where it was told that channels are. */
  readonly asked: () => { readonly question: Record<string, unknown>; readonly places: readonly Record<string, unknown>[] };
}

/** A VM whose uv makes environments with a Python that answers as the solver would. */
function vmWith(outcome: unknown, secrets: Readonly<Record<string, string>>): Solver {
  const tools = scratch();
  const at = (name: string): string => path.join(tools, name);
  writeFileSync(at('outcome'), JSON.stringify(outcome));
  writeProgram(
    at('solver'),
    `#!/bin/sh\ncp "$3" ${at('question')}\nprintf %s "$RAWCLOUD_CHANNELS" > ${at('places')}\n` +
      `cp ${at('outcome')} "$(sed 's/.*"outcome":"\\([^"]*\\)".*/\\1/' "$3")"\n`,
  );
  writeProgram(at('uv'), `#!/bin/sh\n[ "$1" = venv ] || exit 0\nmkdir -p "$4/bin"\ncp ${at('solver')} "$4/bin/python"\n`);
  writeProgram(at('python3.12'), '#!/bin/sh\nprintf "3.12\\n/opt/python3.12\\n"\n');
  for (const tool of ['tar', 'bash', 'sh', 'env', 'mkdir', 'cp', 'sed', 'zstd'])
    symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), at(tool));
  const own = Object.entries(secrets).map(([name, value]): [string, string] => [name.replace(/^conda:/, ''), value]);
  const read = <T>(name: string): T => JSON.parse(readFileSync(at(name), 'utf8')) as T;
  return {
    vm: fakeVm(scratch(), { path: [tools], secrets: Object.fromEntries(own) }),
    asked: () => ({ question: read('question'), places: read('places') }),
  };
}

test('a VM asks the solver for what is here, installs what it says, and lists what changes; the token reaches the solver alone', async () => {
  const { layers, there } = await captured();
  const { vm, asked } = vmWith({ packages: there }, layers.secrets);
  const layer = layers.layers[0]!;
  const { notices } = await builders['conda']!.build(layer, vm);
  expect(notices.map(({ text }) => text)).toEqual([
    'changed for linux-64: left out libcxx (nothing needs it there); tell 1.0 → 1.1 (not to be had as it is here); added mutex 0.1 (needed there)',
  ]);
  expect(existsSync(path.join(vm.directory, 'env/bin/tell'))).toBe(true);
  expect(existsSync(path.join(vm.directory, 'solver'))).toBe(false);
  expect(asked().question).toMatchObject({
    subdir: 'linux-64',
    machine: 'x86_64',
    cuda: '',
    wanted: [{ name: 'libcxx' }, { name: 'tell' }],
  });
  expect(asked().places).toMatchObject([
    { channel: channel.url, address: channel.url.replace('/shop', `/t/${TOKEN}/shop`), path: `/t/${TOKEN}/shop` },
  ]);
  expect(vm.commands.join('\n')).not.toContain(TOKEN);
  expect(JSON.stringify(layers.layers)).not.toContain(TOKEN);

  const solve = (layer.recipe as CondaRecipe).solve!;
  expect(condaParts.wanted(layer)).toContain(solveId(solve));
  expect(await condaParts.facts(layer, vm)).toEqual({ cuda: '' });
  channel.asked.length = 0;
  const again = await builders['conda']!.build(layer, { ...vm, restored: { missing: [] } });
  expect(again.notices).toEqual(notices);
  expect(channel.asked).toEqual([]);
});

test('what is left out does not come though others need it, and needs no word among the changes', async () => {
  const { layers, there } = await captured({ packageChoices: { ignore: ['libcxx'] } });
  const { vm } = vmWith(
    { packages: [...there, { name: 'libcxx', version: '17.0', build: '0', url: `${channel.url}/linux-64/libcxx-17.0-0.conda` }] },
    layers.secrets,
  );
  const { notices } = await builders['conda']!.build(layers.layers[0]!, vm);
  expect(notices[0]!.text).not.toContain('libcxx');
});

test.each<[string, unknown, RegExp, RegExp]>([
  [
    'a package is for no such platform, or of no such version',
    {
      problems: [
        { name: 'libcxx', kind: 'none' },
        { name: 'tell', kind: 'version', there: ['2.0', '3.0'] },
      ],
    },
    /^the conda environment cannot be had for linux-64: libcxx is in no channel; tell 1\.0 is not there, but 2\.0, 3\.0$/,
    /--package-ignore libcxx leaves it out/,
  ],
  [
    'a build is gone that has to be that one',
    { problems: [{ name: 'tell', kind: 'exact' }] },
    /: tell 1\.0 mac_0 is no longer in http/,
    /--package-strictness tell=loose/,
  ],
  [
    'nothing fits',
    { unsolved: 'Cannot solve:\n  tell needs more' },
    /^no set of packages for linux-64 fits what is asked for: Cannot solve: tell needs more$/,
    /loose/,
  ],
  [
    'channels cannot be read',
    { failed: '401 Unauthorized' },
    /^the conda channels cannot be read \(http[^@]*\/shop\): 401 Unauthorized$/,
    /credentials are right/,
  ],
])('fails, saying what to do, when %s', async (_when, outcome, message, remedy) => {
  const { layers } = await captured();
  const { vm } = vmWith(outcome, layers.secrets);
  await expect(builders['conda']!.build(layers.layers[0]!, vm)).rejects.toMatchObject({
    code: 'E_ENVIRONMENT',
    message: expect.stringMatching(message) as string,
    remedy: expect.stringMatching(remedy) as string,
  });
});

test('fails, naming the way without it, when the solver cannot be had', async () => {
  const { layers } = await captured();
  const tools = scratch();
  writeProgram(path.join(tools, 'uv'), '#!/bin/sh\necho no route to host >&2\nexit 2\n');
  writeProgram(path.join(tools, 'python3.12'), '#!/bin/sh\nprintf "3.12\\n/opt/python3.12\\n"\n');
  symlinkSync('/bin/sh', path.join(tools, 'sh'));
  await expect(builders['conda']!.build(layers.layers[0]!, fakeVm(scratch(), { path: [tools] }))).rejects.toMatchObject({
    code: 'E_ENVIRONMENT',
    message: expect.stringMatching(/^the solver for the conda environment, py-rattler==[\d.]+, cannot be had on the VM: /) as string,
    remedy: expect.stringContaining('conda-lock lock -p linux-64') as string,
  });
});

test('the solver of VMs is the one that is tested with real channels', () => {
  const pins = readFileSync(path.join(__dirname, '../../scripts/packages/requirements.txt'), 'utf8');
  const script = readFileSync(path.join(__dirname, '../../lib/agent/builders/conda/solve/script.ts'), 'utf8');
  expect(pins).toContain(/SOLVER = '(py-rattler==[\d.]+)'/.exec(script)![1]);
});
