import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { python3, writeDistribution, writeVenv } from '../capture/package-fixtures';
import type { FakePackage } from '../capture/package-fixtures';
import type { Ended } from '../e2e/house';
import { openWorkshop, pythonOfVms, toolsOfPython } from './workshop';
import type { Workshop } from './workshop';

/** What the real uv and pip say of an index that misbehaves, and what becomes of it. The index is one of the test's own. */
let shop: Workshop;
let server: Server;
let url: string;
/** Answers instead of the index. @returns false to leave it to the index */
let misbehave: (place: string, response: ServerResponse) => boolean = () => false;

beforeAll(async () => {
  // With a uv on the VM none is fetched first.
  shop = await openWorkshop({ vm: { ...pythonOfVms(), uv: path.join(toolsOfPython(), 'uv') } });
  const dist = path.join(shop.house.directory, 'dist');
  for (const name of ['first', 'second']) {
    const source = path.join(shop.house.directory, name);
    mkdirSync(path.join(source, name), { recursive: true });
    writeFileSync(path.join(source, name, '__init__.py'), 'WORD = "here"\n');
    const needs = name === 'first' ? 'dependencies = ["second>=2"]\n' : '';
    const build = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n';
    writeFileSync(path.join(source, 'pyproject.toml'), `${build}[project]\nname = "${name}"\nversion = "1.0"\n${needs}`);
    await shop.tool('uv', ['build', '--quiet', '--wheel', '--out-dir', dist, source], { cwd: source });
  }
  writeSource('compiled', 'add.c', '#include <nothing-of-the-kind.h>\n');
  await shop.tool('uv', ['build', '--quiet', '--sdist', '--out-dir', dist, path.join(shop.house.directory, 'compiled')]);
  writeSource('native', 'add.c', '#include <Python.h>\n');
  await shop.tool('uv', ['build', '--quiet', '--sdist', '--out-dir', dist, path.join(shop.house.directory, 'native')]);
  // What it is built by, from the real index: ours has it for VMs that know no other.
  await shop.tool('uv', [
    'run',
    '--quiet',
    '--no-project',
    '--with',
    'pip',
    'python',
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--dest',
    dist,
    'setuptools>=77',
  ]);
  server = serve(dist);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await shop.close();
});
afterEach(() => {
  misbehave = () => false;
});

/** A package with an extension in C. */
function writeSource(name: string, file: string, text: string): void {
  const source = path.join(shop.house.directory, name);
  mkdirSync(source);
  writeFileSync(path.join(source, file), text);
  const extension = `[tool.setuptools]\next-modules = [{ name = "${name}", sources = ["${file}"] }]\n`;
  const build = '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n';
  writeFileSync(path.join(source, 'pyproject.toml'), `${build}[project]\nname = "${name}"\nversion = "1.0"\n${extension}`);
}

/** Source: PyPA specification "Simple repository API". */
function serve(directory: string): Server {
  return createServer((request, response) => {
    const place = request.url ?? '';
    if (misbehave(place, response)) return;
    const [kind, name = ''] = place.split(/[?#]/)[0]!.split('/').filter(Boolean);
    const names = readdirSync(directory).filter((file) => !file.startsWith('.'));
    if (kind === 'files' && names.includes(name)) response.end(readFileSync(path.join(directory, name)));
    else {
      const own = names.filter((file) => kind === 'simple' && file.startsWith(`${name}-`));
      response.writeHead(own.length > 0 ? 200 : 404, { 'content-type': 'text/html' });
      response.end(`<!DOCTYPE html><html><body>${own.map((file) => `<a href="/files/${file}">${file}</a>`).join('\n')}</body></html>`);
    }
  });
}

interface Given {
  readonly words?: readonly string[];
  readonly requirements?: string;
  /** Names the index. @default - as the only one */
  readonly env?: Readonly<Record<string, string>>;
}

/** A run with an environment of these packages, as they are recorded here. */
async function run(
  name: string,
  packages: readonly FakePackage[],
  { words = [], requirements, env = { UV_DEFAULT_INDEX: url } }: Given = {},
): Promise<Ended> {
  const { house, tryRun } = shop;
  const cwd = path.join(house.project, name);
  await house.write({
    [`${name}/main.py`]: 'import first; print(first.WORD)\n',
    ...(requirements ? { [`${name}/requirements.txt`]: requirements } : {}),
  });
  const site = writeVenv(path.join(cwd, '.venv'), [], python3!.minor);
  for (const one of packages) writeDistribution(site, one);
  return tryRun([...words, '--name', name, '--', '.venv/bin/python', 'main.py'], { cwd, env });
}

const FIRST: FakePackage = { name: 'first', version: '1.0' };
const SECOND: FakePackage = { name: 'second', version: '1.0' };

/** The job failed before its command; nothing of its environment is kept, and its log has the installer's own words. */
async function failedWith(name: string, ended: Ended, message: RegExp, remedy: RegExp, log: RegExp): Promise<void> {
  expect(ended).toMatchObject({ code: 119, stdout: Buffer.from('') });
  expect(ended.stderr).toMatch(message);
  expect(ended.stderr).toMatch(remedy);
  expect((await shop.house.rawcloud(['logs', '--environment', name])).stdout.toString()).toMatch(log);
  await shop.house.allGone();
  const kept = (await shop.house.everything()).filter((file) => /v1\/environments\/.*\/manifest/.test(file.name));
  expect(kept).toEqual([]);
}

test('an index that goes in the middle of a build', async () => {
  misbehave = (place, response) => {
    if (!/^\/simple\/second|^\/files\/second/.test(place)) return false;
    response.destroy();
    return true;
  };
  const ended = await run('gone', [FIRST, SECOND]);
  await failedWith('gone', ended, /package index 127\.0\.0\.1:\d+ did not answer the VM/, /Check that it is up/, /second/);
});

test('an index that takes the request and says nothing more: it is waited for a while, and named', async () => {
  const stalled: ServerResponse[] = [];
  misbehave = (place, response) => place.startsWith('/simple/second') && stalled.push(response.writeHead(200)) > 0;
  const ended = await run('silent', [FIRST, SECOND]);
  await failedWith('silent', ended, /package index 127\.0\.0\.1:\d+ did not answer the VM/, /Check that it is up/, /second/);
  expect(stalled.length).toBeGreaterThan(0);
});

test('a wheel with another hash than the lockfile has', async () => {
  const hash = (digit: string): string => `--hash=sha256:${digit.repeat(64)}`;
  const ended = await run('hashed', [FIRST, SECOND], { requirements: `first==1.0 ${hash('0')}\nsecond==1.0 ${hash('1')}\n` });
  await failedWith(
    'hashed',
    ended,
    /(first|second) does not have the hash that the lockfile says/,
    /Lock again and look at what changed/,
    /Hash mismatch/,
  );
});

test('packages that cannot be had together on the VM', async () => {
  const ended = await run('conflict', [FIRST, SECOND], { words: ['--package-strictness', 'first=loose'] });
  await failedWith('conflict', ended, /first needs other versions than those that are here/, /--package-strictness/, /second/);
});

test('a package without a wheel for the platform, which cannot be compiled there', async () => {
  // What builds it comes from the real index.
  const ended = await run('compiled', [{ name: 'compiled', version: '1.0' }], { env: { UV_INDEX: url } });
  await failedWith('compiled', ended, /compiled could not be built on the VM/, /--setup "dnf install -y gcc"/, /nothing-of-the-kind\.h/);
});

/** All programs of the VM but compilers, and, for pip, uv. */
async function withoutCompiler(name: string, isLeft: (program: string) => boolean, run: () => Promise<void>): Promise<void> {
  const before = process.env['PATH']!;
  const bare = path.join(shop.house.directory, name);
  mkdirSync(bare);
  const compilers = /^(.*-)?(cc|c89|c99|gcc|g\+\+|c\+\+|clang|clang\+\+|cpp|tcc)(-[\d.]+)?$/;
  for (const directory of before.split(':').filter(existsSync))
    for (const program of readdirSync(directory))
      if (!compilers.test(program) && isLeft(program) && !existsSync(path.join(bare, program)))
        symlinkSync(path.join(directory, program), path.join(bare, program));
  process.env['PATH'] = bare;
  try {
    await run();
  } finally {
    process.env['PATH'] = before;
  }
}

test.each([
  ['uv', () => true],
  ['pip', (program: string) => program !== 'uv'],
])('a package that %s has to compile on a VM without a compiler', async (installer, isLeft) => {
  await withoutCompiler(`bare-${installer}`, isLeft, async () => {
    const ended = await run(`bare-${installer}`, [{ name: 'native', version: '1.0' }]);
    await failedWith(
      `bare-${installer}`,
      ended,
      /native could not be built on the VM, which has no compiler/,
      /--setup "dnf install -y gcc"/,
      /gcc/,
    );
  });
});
