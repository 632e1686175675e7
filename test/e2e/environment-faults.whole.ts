import { rmSync } from 'node:fs';
import path from 'node:path';
import { python3, pythonTest, write, writeDistribution, writeProgram, writeVenv } from '../capture/package-fixtures';
import { House } from './house';
import type { Ended } from './house';

let house: House;
const before = process.env['PATH'];
const SECRET = 'hunter2-of-the-index';
const bin = (): string => path.join(process.env['TMPDIR']!, 'bin');
const LINES = Array.from({ length: 2_000 }, (_, number) => `Downloading part ${number} of größe-ü`);

beforeAll(async () => {
  // It says a lot, the password of the index too, and gives up.
  const said = [
    ...LINES,
    `trying https://me:${SECRET}@index.invalid/simple`,
    'cause: Because there is no version of numpy==1.26.4 and so on',
    'the end',
  ];
  const make = `[ "$1" = venv ] && exec mkdir -p "$4/lib/python${python3?.minor}/site-packages"`;
  writeProgram(path.join(bin(), 'uv'), `#!/bin/sh\n${make}\ncat <<'SAID'\n${said.join('\n')}\nSAID\nexit 2\n`);
  // The machines of the local cloud have the PATH of this process.
  process.env['PATH'] = [bin(), before].join(':');
  house = await House.open();
});

afterAll(async () => {
  process.env['PATH'] = before;
  await house.allGone();
  await house.close();
  rmSync(bin(), { recursive: true });
});

pythonTest(
  'a failed build: package, reason and remedy are said, the log is there whole, and the password of the index nowhere',
  async () => {
    const project = path.join(house.project, 'größe und maß');
    const site = writeVenv(path.join(project, '.venv'), [], python3!.minor);
    writeDistribution(site, { name: 'numpy', version: '1.26.4' });
    const env = { UV_DEFAULT_INDEX: `https://me:${SECRET}@index.invalid/simple` };
    const ended = await house.rawcloud(['run', '--name', 'failed', '--', '.venv/bin/python', 'ä b.py'], { cwd: project, env });
    expect(ended).toMatchObject({ code: 119, stdout: Buffer.from('') });
    expect(ended.stderr).toContain('numpy has no version 1.26.4 in the package index · exit code 119');
    expect(ended.stderr).toMatch(/→ .*--package-strictness numpy=compatible .*--package-ignore numpy leaves it out/);
    expect(ended.stderr).toMatch(/→ rawcloud logs --environment \S+ shows how it was built/);
    const log = (await house.rawcloud(['logs', '--environment', 'failed'])).stdout.toString();
    expect(log.split('\n').filter((line) => line.startsWith('Downloading'))).toEqual(LINES);
    expect(log).toMatch(/^trying \*\*\*$/m);
    expect(log).toMatch(/^the end$/m);
    await house.allGone();
    const holders = (await house.everything()).filter(({ content }) => content.includes(SECRET)).map(({ name }) => name);
    expect([ended.stderr, log].filter((text) => text.includes(SECRET))).toEqual([]);
    expect(holders).toEqual([]);
  },
);

pythonTest(
  'an environment of 30 GiB: its size is shown, the disk grows with it, and one that is too small is refused before any launch',
  async () => {
    const project = path.join(house.project, 'large');
    const site = writeVenv(path.join(project, '.venv'), [], python3!.minor);
    writeDistribution(site, { name: 'torch', version: '2.3.0' });
    write(site, { 'torch-2.3.0.dist-info/RECORD': `torch/lib.so,sha256=x,${30 * 2 ** 30}\n`, 'mine.py': '' });
    const rawcloud = (...words: string[]): Promise<Ended> => house.rawcloud([...words, '--', '.venv/bin/python', 'a.py'], { cwd: project });
    const shown = (await rawcloud('env', 'show')).stdout.toString();
    expect(shown).toMatch(/python +Python 3\.\d+ \(\.venv\): 1 package, 30\.0 GiB on a disk\n +torch +2\.3\.0 +30\.0 GiB +PyPI/);
    expect(shown).toMatch(/warning: no package has recorded mine\.py of\s+\S+site-packages,\s+so it does\s+not travel/);
    const planned = (await rawcloud('run', '--dry-run')).stdout.toString();
    expect(planned).toMatch(/^disk +51 GiB$/m);
    expect(planned).toMatch(/the VM has a disk of 51 GiB for it in place of 30 \(\$0\.00\d+\/h more, --disk sets another\)/);
    const launches = house.calls('RunInstances');
    const refused = await rawcloud('run', '--disk', '20GiB');
    expect(refused).toMatchObject({ code: 2, stdout: Buffer.from('') });
    expect(refused.stderr).toContain('a disk of 20 GiB does not hold the environment, which takes 30.0 GiB: torch 30.0 GiB');
    expect(refused.stderr).toContain('→ Take --disk 51GiB');
    expect(house.calls('RunInstances')).toBe(launches);
  },
);
