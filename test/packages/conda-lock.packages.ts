import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CondaChannel } from '../agent/conda-channel';
import { addTell, INSTALL_BY_RATTLER } from './rattler';
import { openWorkshop, toolsOfPython } from './workshop';
import type { Workshop } from './workshop';

let shop: Workshop;
let forge: CondaChannel;
beforeAll(async () => {
  shop = await openWorkshop();
  forge = await CondaChannel.open(mkdtempSync(path.join(os.tmpdir(), 'rawcloud-channel-')));
});
afterAll(async () => {
  await shop.close();
  await forge.close();
});

/** conda-lock has no solver of its own and takes conda or mamba, which no registry of Python has: rattler solves, and conda-lock writes. */
const LOCK = `
import asyncio, os, pathlib, sys
import rattler
from conda_lock.lockfile import write_conda_lock_file
from conda_lock.lockfile.v1.models import LockMeta
from conda_lock.lockfile.v2prelim.models import HashModel, LockedDependency, Lockfile
channel, file, *specs = sys.argv[1:]
platforms = ["linux-64", "osx-arm64"]
async def locked():
    for platform in platforms:
        for one in await rattler.solve([channel], specs, platforms=[platform, "noarch"]):
            needs = dict((text.split(" ", 1) + [""])[:2] for text in one.depends)
            yield LockedDependency(
                name=one.name.normalized, version=str(one.version), manager="conda", platform=platform, dependencies=needs,
                url=one.url, hash=HashModel(md5=one.md5.hex(), sha256=one.sha256.hex()), build=str(one.build), categories={"main"})
async def main():
    meta = LockMeta(content_hash={platform: "0" for platform in platforms}, channels=[channel], platforms=platforms, sources=["environment.yml"])
    write_conda_lock_file(Lockfile(package=[one async for one in locked()], metadata=meta), pathlib.Path(file), metadata_choices=None)
asyncio.run(main())
sys.stdout.flush()
os._exit(0)
`;

/** In an environment of uv's own: what it needs does not go with what the other tools need. */
const WITH_CONDA_LOCK = ['tool', 'run', '--quiet', '--from', 'conda-lock==4.0.3', '--with', 'py-rattler==0.28.0'];

test('an environment of macOS whose conda-lock.yml, as conda-lock writes it, has Linux as well: exactly what conda-lock renders for Linux is there', async () => {
  const { house, tool, tryRun } = shop;
  addTell(forge);
  const prefix = path.join(house.project, 'lab');
  await tool(path.join(toolsOfPython(), 'python'), ['-c', INSTALL_BY_RATTLER, 'osx-arm64', forge.url, prefix, 'tell']);
  await tool('uv', [...WITH_CONDA_LOCK, 'python', '-c', LOCK, forge.url, path.join(house.project, 'conda-lock.yml'), 'tell']);
  await tool('uv', [...WITH_CONDA_LOCK, 'conda-lock', 'render', '--kind', 'explicit', '--platform', 'linux-64', 'conda-lock.yml']);

  const env = { CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: 'lab', PATH: `${prefix}/bin:/usr/bin:/bin` };
  const program = 'tell it; for file in $CONDA_PREFIX/conda-meta/*.json; do sed -n \'s/^  "url": "\\(.*\\)",$/\\1/p\' $file; done';
  const ended = await tryRun(['--', 'sh', '-c', program], { env });
  const rendered = await tool('sed', ['-n', 's/^\\(http[^#]*\\)#.*/\\1/p', 'conda-linux-64.lock']);
  expect(ended).toMatchObject({ code: 0 });
  const [said, ...urls] = ended.stdout.toString().trim().split('\n');
  expect(said).toBe('on Linux it');
  expect(urls.toSorted()).toEqual(rendered.trim().split('\n').toSorted());
  expect(ended.stderr).toContain(
    'changed for linux-64: left out libcxx (conda-lock.yml has none for linux-64); tell 1.0 → 1.1 (as conda-lock.yml has it); ' +
      'added _libgcc_mutex 0.1 (as conda-lock.yml has it)',
  );
});
