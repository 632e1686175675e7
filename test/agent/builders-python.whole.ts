import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { builders } from '../../lib/agent/builders';
import { failureIn, FailureWatch } from '../../lib/agent/builders/python-failure';
import { python3, pythonTest, scratch, write, writeProgram } from '../capture/package-fixtures';
import { fakeVm, layer } from './build-io';
import type { FakeVm } from './build-io';

const python = builders['python']!;
const TOOLS = ['/usr/bin', '/bin'];

/** PATH with the machine's own python first, and its tools. */
function vm(directory: string, change: { path?: readonly string[]; signal?: AbortSignal } = {}): FakeVm {
  return fakeVm(directory, { path: [path.dirname(python3?.executable ?? '/nowhere'), ...TOOLS], ...change });
}

function recipe(change: Record<string, unknown> = {}): Record<string, unknown> {
  return { python: python3?.minor ?? '3.11', requirements: [], uv: false, ...change };
}

/** A wheel is a zip; Python writes it, as no zip program is sure to be there. */
function writeWheel(directory: string, name: string, version: string): void {
  const record = `${name}-${version}.dist-info`;
  write(path.join(directory, 'wheel'), {
    [`${name}.py`]: `VERSION = ${JSON.stringify(version)}\n`,
    [`${record}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${record}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${record}/RECORD`]: '',
  });
  mkdirSync(path.join(directory, 'wheels'), { recursive: true });
  const zip = 'import shutil, sys; shutil.move(shutil.make_archive(sys.argv[1], "zip", sys.argv[2]), sys.argv[1])';
  execFileSync(python3!.executable, [
    '-I',
    '-c',
    zip,
    path.join(directory, 'wheels', `${name}-${version}-py3-none-any.whl`),
    path.join(directory, 'wheel'),
  ]);
}

/** Only what lies in that directory: no network is asked. */
function closedIndex(directory: string): Record<string, unknown> {
  return { extra: [], findLinks: [path.join(directory, 'wheels'), '/not/on/this/vm'], noIndex: true, strategy: 'first' };
}

describe('the Python builder', () => {
  pythonTest('without packages links the interpreter of the same version, and installs nothing', async () => {
    const io = vm(scratch());
    const built = await python.build(layer('python', recipe({ venv: '.venv' })), io);
    expect(built.env).toEqual({});
    expect(readdirSync(built.path[0]!).sort()).toEqual(['python', 'python3', `python${python3!.minor}`]);
    const said = execFileSync(path.join(built.path[0]!, 'python'), ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
      encoding: 'utf8',
    });
    expect(said.trim()).toBe(python3!.minor);
    expect(existsSync(path.join(io.root, '.venv', 'bin', 'python'))).toBe(true);
    expect(io.commands).toEqual([]);
  });

  const INSTALLS = 'installs exactly the listed packages into a virtual environment, by venv and pip where no uv can be had';
  pythonTest(
    INSTALLS,
    async () => {
      const directory = scratch();
      writeWheel(directory, 'tiny', '1.2.3');
      const io = vm(directory, { path: [pythonAlone(directory)] });
      const built = await python.build(layer('python', recipe({ requirements: ['tiny==1.2.3'], index: closedIndex(directory) })), io);
      expect(built.env['VIRTUAL_ENV']).toBe(path.join(io.directory, 'venv'));
      const said = execFileSync(path.join(built.path[0]!, 'python'), ['-c', 'import tiny; print(tiny.VERSION)'], { encoding: 'utf8' });
      expect(said.trim()).toBe('1.2.3');
      expect(io.lines).toContain('/not/on/this/vm (find-links) is not on this VM: left out');
      expect(io.lines).toContainEqual(expect.stringContaining('going on with venv and pip'));
      // Making a real virtual environment takes Python some seconds, and more where others work too.
    },
    120_000,
  );

  test('fails naming the package that is not to be had, with the installer in the log', async () => {
    const directory = scratch();
    const bin = path.join(directory, 'bin');
    const words =
      'cause: Because there is no version of tiny==9 and you require tiny==9, we can conclude that your requirements are unsatisfiable.';
    writeProgram(path.join(bin, 'python3.7'), '#!/bin/sh\nprintf "3.7\\n/usr/bin/python3.7\\n"\n');
    writeProgram(path.join(bin, 'uv'), `#!/bin/sh\ntest "$1" = venv && exit 0\necho "${words}" >&2\nexit 1\n`);
    const io = vm(directory, { path: [bin, ...TOOLS] });
    await expect(python.build(layer('python', recipe({ python: '3.7', requirements: ['tiny==9'] })), io)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: 'the Python packages could not be installed: tiny has no version 9 in the package index',
      data: { package: 'tiny' },
    });
    expect(io.lines).toContain(words);
  });

  test('uses the uv of the VM: one venv, one install without dependencies, links for the job', async () => {
    const directory = scratch();
    const bin = path.join(directory, 'bin');
    writeProgram(path.join(bin, 'python3.7'), '#!/bin/sh\nprintf "3.7\\n/usr/bin/python3.7\\n"\n');
    writeProgram(path.join(bin, 'uv'), '#!/bin/sh\necho "uv $*" "$UV_NO_CONFIG $UV_CACHE_DIR"\n');
    const io = vm(directory, { path: [bin, ...TOOLS] });
    const index = { url: 'https://a.test/simple', extra: ['https://b.test/simple'], findLinks: [], noIndex: false, strategy: 'best' };
    const built = await python.build(
      layer('python', recipe({ python: '3.7', requirements: ['a==1', 'b @ https://x.test/b.whl'], index, uv: true })),
      io,
    );
    const venv = path.join(io.directory, 'venv');
    expect(io.commands).toEqual([
      `${bin}/uv venv --python /usr/bin/python3.7 ${venv}`,
      `${bin}/uv pip install --python ${venv}/bin/python --no-deps --index-strategy unsafe-best-match ` +
        `--default-index https://a.test/simple --index https://b.test/simple -r ${io.directory}/requirements.txt`,
    ]);
    expect(io.lines[0]).toContain(`1 ${io.directory}/uv-cache`);
    expect(readFileSync(path.join(io.directory, 'requirements.txt'), 'utf8')).toBe('a==1\nb @ https://x.test/b.whl\n');
    expect(built.path).toEqual([path.join(venv, 'bin'), path.join(io.directory, 'tools')]);
    expect(readlinkSync(path.join(io.directory, 'tools', 'uv'))).toBe(path.join(bin, 'uv'));
  });

  test('installs what a lockfile has hashes for with nothing but those, and from the index it names', async () => {
    const directory = scratch();
    const bin = path.join(directory, 'bin');
    writeProgram(path.join(bin, 'python3.7'), '#!/bin/sh\nprintf "3.7\\n/usr/bin/python3.7\\n"\n');
    writeProgram(path.join(bin, 'uv'), '#!/bin/sh\ntest "$1" = venv || sed "s/^/asked: /" "$PWD/../layer/requirements.txt"\n');
    const io = vm(directory, { path: [bin, ...TOOLS] });
    const requirements = ['a==1 --hash=sha256:00', 'b==1 --hash=sha256:00', 'pip==24.0'];
    await python.build(layer('python', recipe({ python: '3.7', requirements, indexes: { b: 'https://own.test/simple' } })), io);
    const install = `${bin}/uv pip install --python ${io.directory}/venv/bin/python --no-deps`;
    const file = `-r ${io.directory}/requirements.txt`;
    expect(io.commands.slice(1)).toEqual([
      `${install} --require-hashes ${file}`,
      `${install} --require-hashes --index https://own.test/simple ${file}`,
      `${install} ${file}`,
    ]);
    expect(io.lines).toEqual(requirements.map((line) => `asked: ${line}`));
  });

  test.each([
    ['uv', ['error: Failed to download `tiny==9`', '  cause: Hash mismatch for `tiny==9`']],
    [
      'pip',
      [
        'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package versions, …',
        '    tiny==9 from https://files.test/tiny-9-py3-none-any.whl (from -r bad.txt (line 1)):',
      ],
    ],
  ])('fails for a wrong hash naming package, reason and remedy, as %s says it', (_tool, lines) => {
    const failure = new FailureWatch();
    for (const line of lines) failure.onLine(line);
    expect(failure.explain(new Error('exited with 1'), { env: {} })).toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringMatching(/: tiny does not have the hash that the lockfile says/) as string,
      remedy: expect.stringContaining('--packages installed') as string,
      data: { package: 'tiny' },
    });
  });

  test('has uv fetch a version that the VM lacks', async () => {
    const directory = scratch();
    const bin = path.join(directory, 'bin');
    const fetched = path.join(directory, 'fetched');
    writeProgram(
      path.join(bin, 'uv'),
      `#!/bin/sh\ncase "$2" in find) cat ${fetched} ;; install) echo /opt/python3.99 > ${fetched} ;; esac\n`,
    );
    const io = vm(directory, { path: [bin, ...TOOLS] });
    const built = await python.build(layer('python', recipe({ python: '3.99' })), io);
    expect(io.commands).toEqual([`${bin}/uv python install --no-bin 3.99`]);
    expect(readlinkSync(path.join(built.path[0]!, 'python3.99'))).toBe('/opt/python3.99');
  });

  test('fails saying which version was looked for, where, and what would bring it', async () => {
    const directory = scratch();
    writeProgram(path.join(directory, 'bin', 'uv'), '#!/bin/sh\nexit 2\n');
    const io = vm(directory, { path: [path.join(directory, 'bin'), ...TOOLS] });
    await expect(python.build(layer('python', recipe({ python: '3.99' })), io)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: `the VM has no Python 3.99, the version of the captured environment: looked for python3.99, python3 and python on ${io.env['PATH']!}; uv could not fetch it, which takes access to the internet`,
      remedy: expect.stringContaining('--image') as string,
    });
  });

  test('fails when a package comes from git and the VM has none', async () => {
    const io = vm(scratch(), { path: ['/nowhere'] });
    await expect(python.build(layer('python', recipe({ requirements: ['p @ git+https://x.test/p.git@abc'] })), io)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: 'p is installed from a git repository, and the VM has no git',
    });
  });

  test('fails when the command calls uv, and none can be had', async () => {
    const directory = scratch();
    writeProgram(path.join(directory, 'bin', 'python3'), '#!/bin/sh\nexit 1\n');
    const io = vm(directory, { path: [path.join(directory, 'bin')] });
    await expect(python.build(layer('python', recipe({ uv: true })), io)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringContaining('the command calls uv') as string,
    });
    expect(io.lines).toEqual([expect.stringContaining('going on with venv and pip') as string]);
  });

  pythonTest('leaves a virtual environment of the tree alone, and replaces a piece of one', async () => {
    for (const [files, isLink] of [
      [{ '.venv/pyvenv.cfg': '' }, false],
      [{ '.venv/bin/python': '' }, true],
    ] as const) {
      const io = vm(scratch());
      write(io.root, files);
      await python.build(layer('python', recipe({ venv: '.venv' })), io);
      expect(existsSync(path.join(io.root, '.venv', 'bin', `python${python3!.minor}`))).toBe(isLink);
    }
  });

  test('fails with the reason of the abort', async () => {
    const directory = scratch();
    writeProgram(path.join(directory, 'bin', 'uv'), '#!/bin/sh\nexec sleep 60\n');
    writeProgram(path.join(directory, 'bin', 'python3.7'), '#!/bin/sh\nprintf "3.7\\n/x\\n"\n');
    const abort = new AbortController();
    const io = vm(directory, { path: [path.join(directory, 'bin'), ...TOOLS], signal: abort.signal });
    const built = python.build(layer('python', recipe({ python: '3.7', requirements: ['a==1'] })), {
      ...io,
      run: (...call) => {
        const running = io.run(...call);
        abort.abort(new Error('the job was stopped'));
        return running;
      },
    });
    await expect(built).rejects.toThrow(/abort|stopped/);
  });

  test('fails for a recipe of another shape', async () => {
    const io = vm(scratch());
    await expect(python.build(layer('python', { python: 3 }), io)).rejects.toMatchObject({ code: 'E_RECORD' });
  });
});

describe("the installer's words", () => {
  test.each([
    ['  cause: Because there is no version of six==99 and you require six==99, we can conclude', 'six', 'no such version'],
    ['  cause: Because zzz-q was not found in the package registry and you require zzz-q==1.0', 'zzz-q', 'not in the package index'],
    ['ERROR: No matching distribution found for six==99', 'six', 'no such version'],
    ['error: Failed to build `uwsgi==2.0.20`', 'uwsgi', 'could not be built'],
    ['  × Failed to build `uwsgi==2.0.20`', 'uwsgi', 'could not be built'],
    ['ERROR: Failed to build installable wheels for some pyproject.toml based projects (uwsgi)', 'uwsgi', 'could not be built'],
    ['  ERROR: Failed building wheel for uwsgi', 'uwsgi', 'could not be built'],
    ['error: Failed to download and build `uwsgi==2.0.20`', 'uwsgi', 'could not be built'],
    ['error: Failed to download `idna==3.7`', 'idna', 'could not be fetched'],
    // As uv 0.13 and pip 26 say it.
    ['  cause: Because mac==1.0 has no wheels with a matching platform tag (e.g., `manylinux_2_36_x86_64`)', 'mac', 'no build for this'],
    ['  cause: Because old==1.0 has no wheels with a matching Python ABI tag (e.g., `cp311`) and you', 'old', 'no build for this'],
    [
      '  cause: Because the current Python version (3.11.7) does not satisfy Python>=3.13 and b==1 depends on Python>=3.13, we',
      'b',
      'Python',
    ],
    ["ERROR: Package 'newpy' requires a different Python: 3.11.7 not in '>=3.13'", 'newpy', "not for the environment's version"],
    ['  cause: Because all versions of a depend on b>=2 and b==1.0, we can conclude that all versions of a cannot', 'a', 'other versions'],
    ['  cause: Because only a-b<=1.0 is available and a-b==1.0 depends on b>=2, we can', 'a-b', 'other versions'],
    ['ERROR: Cannot install a==1.0 because these package versions have conflicting dependencies.', 'a', 'other versions'],
    ['ERROR: win_only-1.0-cp311-cp311-win_amd64.whl is not a supported wheel on this platform.', 'win_only', 'another platform'],
    [
      '  cause: A path (w/winonly-1.0-cp311-cp311-win_amd64.whl) dependency is incompatible with the current platform',
      'winonly',
      'another',
    ],
  ])('%p', (line, name, how) => {
    expect(failureIn(line)).toMatchObject({ name, how: expect.stringContaining(how) as string });
  });

  test('pip names what has no metadata in the line after', () => {
    const watch = new FailureWatch();
    for (const line of ['× Encountered error while generating package metadata.', '╰─> badmeta', '╰─> other']) watch.onLine(line);
    expect(watch.found).toMatchObject({ name: 'badmeta', kind: 'not-built' });
  });

  test('other lines name nothing', () => {
    for (const line of ['Installed 3 packages in 5ms', ' + idna==3.7', 'Building wheel for x (pyproject.toml)'])
      expect(failureIn(line)).toBeUndefined();
  });
});

/** A directory with the machine's python and nothing else: no uv that happens to lie beside it. */
function pythonAlone(directory: string): string {
  const bin = path.join(directory, 'python-alone');
  mkdirSync(bin);
  symlinkSync(python3!.executable, path.join(bin, 'python3'));
  return bin;
}
