import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CondaChannel, PLACEHOLDER } from '../agent/conda-channel';
import { addPackages } from '../agent/conda-packages';
import { openWorkshop, toolsOfPython } from './workshop';
import type { Workshop } from './workshop';

let shop: Workshop;
let channel: CondaChannel;
beforeAll(async () => {
  channel = await CondaChannel.open(mkdtempSync(path.join(os.tmpdir(), 'rawcloud-channel-')));
  shop = await openWorkshop();
});
afterAll(async () => {
  await shop.close();
  await channel.close();
});

/** rattler, which pixi is made of, solves and installs. */
const INSTALL = `
import asyncio, os, sys
import rattler
channel, prefix, *specs = sys.argv[1:]
async def main():
    records = await rattler.solve([channel], specs, platforms=["linux-64", "noarch"])
    await rattler.install(records, prefix, platform=rattler.Platform("linux-64"), cache_dir=prefix + "-cache", execute_link_scripts=True, show_progress=False)
asyncio.run(main())
# Its threads are not done when Python takes itself apart.
os._exit(0)
`;

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
  await tool(path.join(toolsOfPython(), 'python'), ['-c', INSTALL, channel.url, prefix, 'greet', 'model']);
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
