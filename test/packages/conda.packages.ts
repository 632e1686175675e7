import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CondaChannel, PLACEHOLDER } from '../agent/conda-channel';
import { addPackages } from '../agent/conda-packages';
import { python3 } from '../capture/package-fixtures';
import { addTell, INSTALL_BY_RATTLER } from './rattler';
import { LIST as LIST_PYTHON, openWorkshop, pythonOfVms, toolsOfPython } from './workshop';
import type { Workshop } from './workshop';

let shop: Workshop;
let channel: CondaChannel;
const channels: CondaChannel[] = [];
beforeAll(async () => {
  channel = await CondaChannel.open(mkdtempSync(path.join(os.tmpdir(), 'rawcloud-channel-')));
  channels.push(channel);
  shop = await openWorkshop();
});
afterAll(async () => {
  await shop.close();
  for (const one of channels) await one.close();
});

/** What `conda list --explicit` would say. */
const LIST = [
  '-c',
  'import glob, json, os\n' +
    'all = [json.load(open(f)) for f in glob.glob(os.environ["CONDA_PREFIX"] + "/conda-meta/*.json")]\n' +
    'for r in sorted(all, key=lambda r: r["name"]): print(r["name"], r["version"], r["build"], r["url"], r["sha256"], sorted(r["files"]))\n',
];

/** Machine code that was told where it would lie. */
function compiled(): Buffer {
  const source = `#include <stdio.h>\nvolatile const char prefix[] = "${PLACEHOLDER}/share/model";\nint main() { puts((const char *)prefix); return 0; }\n`;
  const file = path.join(channel.directory, 'model');
  execFileSync('gcc', ['-O1', '-x', 'c', '-o', file, '-'], { input: source });
  return readFileSync(file);
}

test('an environment that rattler has made: the same packages here and there, and the same output', async () => {
  const { house, tool, run } = shop;
  addPackages(channel);
  channel.add({
    name: 'model',
    version: '4.1',
    build: 'h1_2',
    depends: ['settings'],
    files: { 'bin/model': { content: compiled(), mode: 0o755, prefix: 'binary' } },
  });
  channel.writeRepodata();
  const prefix = path.join(house.project, 'lab');
  await tool(path.join(toolsOfPython(), 'python'), ['-c', INSTALL_BY_RATTLER, 'linux-64', channel.url, prefix, 'greet', 'model']);
  const env = { CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: 'lab', GREETING: 'lab set', PATH: `${prefix}/bin:/usr/bin:/bin` };
  const there = /^.*\/layers\/conda\/env/gm;
  const both = async (program: string, args: readonly string[] = []): Promise<[string, string]> => [
    await tool(path.join(prefix, 'bin', program), args, { env }),
    await run(['--', program, ...args], { env }),
  ];

  const [listed, listedThere] = await both('python', LIST);
  expect(listed.split('\n')).toHaveLength(6);
  expect(listedThere).toBe(listed);

  const [said, saidThere] = await both('greet');
  expect(said).toBe(`hello from ${prefix}/share:end lab set\n`);
  expect(saidThere.replace(/ \/.*\/layers\/conda\/env/, ` ${prefix}`)).toBe(said);

  const [model, modelThere] = await both('model');
  expect(model).toBe(`${prefix}/share/model\n`);
  expect(modelThere.replace(there, prefix)).toBe(model);
});

/** A Python that is at home where it is linked, as conda's own: the machine's, by the way of a virtual environment. */
function addRealPython(mixed: CondaChannel): void {
  const real = realpathSync(pythonOfVms()['python3']!);
  const minor = python3!.minor;
  mixed.add({
    name: 'python',
    version: `${minor}.99`,
    build: 'real_0',
    files: {
      'pyvenv.cfg': `home = ${path.dirname(real)}\ninclude-system-site-packages = false\nversion = ${minor}.99\n`,
      [`bin/python${minor}`]: { link: real },
      'bin/python3': { link: `python${minor}` },
      'bin/python': { link: `python${minor}` },
      [`lib/python${minor}/site-packages/README`]: 'packages\n',
    },
  });
}

test('packages of PyPI in a conda environment, by uv: installed after those of conda, the same here and there', async () => {
  const { house, tool, run, tryRun } = shop;
  const mixed = await CondaChannel.open(mkdtempSync(path.join(os.tmpdir(), 'rawcloud-channel-')));
  channels.push(mixed);
  addRealPython(mixed);
  mixed.add({
    name: 'greeter',
    version: '2.0',
    depends: ['python'],
    python: ['greeter = greeter:main'],
    files: {
      'site-packages/greeter/__init__.py': 'import idna\ndef main():\n    print(idna.encode("münchen.de"), idna.__version__)\n',
      'site-packages/greeter-2.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: greeter\nVersion: 2.0\n',
      'site-packages/greeter-2.0.dist-info/INSTALLER': 'conda\n',
    },
  });
  mixed.writeRepodata();
  const prefix = path.join(house.project, 'mixed');
  await tool(path.join(toolsOfPython(), 'python'), ['-c', INSTALL_BY_RATTLER, 'linux-64', mixed.url, prefix, 'greeter']);
  await house.write({
    'own/pyproject.toml':
      '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[project]\nname = "own"\nversion = "1"\n',
    'own/own/__init__.py': '',
  });
  await tool('uv', [
    'pip',
    'install',
    '--quiet',
    '--python',
    path.join(prefix, 'bin', 'python'),
    'idna==3.7',
    'pyyaml==6.0.2',
    '-e',
    './own',
  ]);
  const env = { CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: 'mixed', PATH: `${prefix}/bin:/usr/bin:/bin` };
  const program = (name: string): string => path.join(prefix, 'bin', name);

  expect(await run(['--', 'greeter'], { env })).toBe(await tool(program('greeter'), [], { env }));
  const listed = await tool(program('python'), LIST_PYTHON, { env });
  expect(listed).toContain("('PyYAML', '6.0.2')");
  expect(listed).toContain("('idna', '3.7')");
  expect(await run(['--', 'python', ...LIST_PYTHON], { env })).toBe(listed);
  const uses = [
    '-c',
    'import own, yaml; print(yaml.__with_libyaml__, yaml.safe_load("a: [1, 2]"), own.__file__.endswith("own/own/__init__.py"))',
  ];
  expect(await run(['--', 'python', ...uses], { env })).toBe(await tool(program('python'), uses, { env }));

  // idna is there already: what is added takes that one, and stays beside what conda has.
  const chosen = await tryRun(['--package-add', 'requests==2.32.3', '--package-ignore', 'pyyaml', '--', 'python', ...LIST_PYTHON], { env });
  expect(chosen).toMatchObject({ code: 0, stderr: expect.stringMatching(/solved on the VM: .*requests 2\.32\.3/) as string });
  expect(chosen.stderr).not.toMatch(/solved on the VM: .*greeter/);
  expect(chosen.stdout.toString()).toMatch(/^(?!.*PyYAML).*\('greeter', '2\.0'\).*\('idna', '3\.7'\).*\('requests', '2\.32\.3'\)/);
});

/** As pixi writes its lockfile, and installs what is for this platform: by the same library. */
const LOCK = `
import asyncio, os, sys
import rattler
from rattler.lock import LockChannel, LockPlatform
channel, project, here, *specs = sys.argv[1:]
async def main():
    lock = rattler.LockFile([LockPlatform(name) for name in ("linux-64", "osx-arm64")])
    lock.set_channels("default", [LockChannel(channel)])
    for platform in lock.platforms():
        records = await rattler.solve([channel], specs, platforms=[platform.name, "noarch"])
        for record in records: lock.add_conda_package("default", platform, record)
        if platform.name == here:
            prefix = project + "/.pixi/envs/default"
            await rattler.install(records, prefix, platform=rattler.Platform(here), cache_dir=project + "-cache", show_progress=False)
    lock.to_path(project + "/pixi.lock")
asyncio.run(main())
os._exit(0)
`;

test('an environment of macOS whose pixi.lock, of version 7, has Linux as well: what is locked for Linux runs, and each change is said', async () => {
  const { house, tool, tryRun } = shop;
  const forge = await CondaChannel.open(mkdtempSync(path.join(os.tmpdir(), 'rawcloud-channel-')));
  channels.push(forge);
  addTell(forge);
  const project = path.join(house.project, 'foreign');
  await house.write({ 'foreign/pixi.toml': '[tasks]\nsay = { cmd = "tell said", depends-on = ["first"] }\nfirst = "tell first"\n' });
  await tool(path.join(toolsOfPython(), 'python'), ['-c', LOCK, forge.url, project, 'osx-arm64', 'tell']);
  const ended = await tryRun(['--', 'pixi', 'run', 'say', 'it'], { cwd: project });
  expect(ended).toMatchObject({ code: 0, stdout: Buffer.from('on Linux first\non Linux said it\n') });
  expect(ended.stderr).toContain(
    'changed for linux-64: left out libcxx (pixi.lock has none for linux-64); tell 1.0 → 1.1 (as pixi.lock has it); added _libgcc_mutex 0.1 (as pixi.lock has it)',
  );
});
