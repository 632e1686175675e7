import path from 'node:path';
import { python3 } from '../capture/package-fixtures';
import { LIST, openWorkshop } from './workshop';
import type { Workshop } from './workshop';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.close());

/**
 * Environments of other systems, as uv makes them: wheels of theirs from the registry, with their own records. Only the Python that
 * lists them is of this machine; it could not load what is compiled.
 */
const ENVIRONMENTS = {
  macOS: {
    platform: 'aarch64-apple-darwin',
    // ipython needs appnope on macOS alone.
    packages: ['numpy', 'ipython==8.12.3'],
    program: 'import numpy, IPython\nprint(numpy.arange(4).sum(), IPython.__version__)\n',
    output: '6 8.12.3\n',
    changed: /changed for linux-\S+: left out appnope \(turns off App Nap of macOS\)$/m,
    left: ['appnope'],
    added: [],
  },
  Windows: {
    platform: 'x86_64-pc-windows-msvc',
    // uvicorn[standard] needs uvloop everywhere else.
    packages: ['pywin32', 'uvicorn[standard]==0.34.0', 'httptools'],
    program: 'import uvicorn, uvloop, httptools, click\nprint(uvicorn.__version__, uvloop.new_event_loop().__class__.__name__)\n',
    output: '0.34.0 Loop\n',
    changed: /changed for linux-\S+: left out pywin32 \(the API of Windows\); added uvloop\S+ \(uvicorn needs it there\)$/m,
    left: ['pywin32'],
    added: ['uvloop'],
  },
} as const;

const names = (list: string): Map<string, string> =>
  new Map([...list.matchAll(/\('([^']+)', '([^']+)'\)/g)].map(([, name, version]) => [name!, version!]));

test.each(Object.entries(ENVIRONMENTS))(
  'an environment of %s moves to Linux: it is built and runs there, and the packages differ by what was listed',
  async (system, { platform, packages, program, output, changed, left, added }) => {
    const { house, tool, run, tryRun } = shop;
    const cwd = path.join(house.project, system);
    await house.write({ [`${system}/main.py`]: program });
    await tool('uv', ['venv', '--quiet', '--python', python3!.minor], { cwd });
    await tool('uv', ['pip', 'install', '--quiet', '--python-platform', platform, '--only-binary', ':all:', ...packages], { cwd });
    const refused = await tryRun(['--package-strictness', 'exact', '--', '.venv/bin/python', 'main.py'], { cwd });
    expect(refused).toMatchObject({ code: 119, stderr: expect.stringContaining(`cannot be made exactly as it is on linux`) as string });
    const ended = await tryRun(['--', '.venv/bin/python', 'main.py'], { cwd });
    expect(ended).toMatchObject({ code: 0, stdout: Buffer.from(output), stderr: expect.stringMatching(changed) as string });
    const [here, there] = [
      names(await tool('.venv/bin/python', LIST, { cwd })),
      names(await run(['--', '.venv/bin/python', ...LIST], { cwd })),
    ];
    const wanted = new Map([...here].filter(([name]) => !left.some((one) => one === name)));
    for (const name of added) wanted.set(name, there.get(name)!);
    expect([...there].sort()).toEqual([...wanted].sort());
  },
);
