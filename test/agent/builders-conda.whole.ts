import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { builders } from '../../lib/agent/builders';
import { capturePackages } from '../../lib/capture/packages';
import type { CapturedPackages } from '../../lib/capture/packages';
import type { Built } from '../../lib/contract';
import { context, pythonTest, scratch, write } from '../capture/package-fixtures';
import { fakeVm } from './build-io';
import type { FakeVm } from './build-io';
import { CondaChannel, writeCondaMeta } from './conda-channel';
import type { MadePackage } from './conda-channel';
import { addPackages } from './conda-packages';

let channel: CondaChannel;
let packages: MadePackage[];
beforeEach(async () => {
  channel = await CondaChannel.open(scratch());
  packages = addPackages(channel);
});
afterEach(() => channel.close());

/** An active environment with these packages, captured. */
async function capture(
  records: readonly Partial<MadePackage>[],
  argv: readonly string[] = ['make'],
  env: Readonly<Record<string, string>> = {},
): Promise<CapturedPackages> {
  const root = scratch();
  const prefix = path.join(root, 'envs', 'lab');
  writeCondaMeta(prefix, records);
  return capturePackages(context(root, argv, { env: { CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: 'lab', PATH: '/usr/bin:/bin', ...env } }));
}

interface Made {
  readonly io: FakeVm;
  readonly built: Built;
  readonly run: (program: string, ...args: readonly string[]) => string;
}

async function build({ layers, contents, secrets }: CapturedPackages, io = vm(secrets)): Promise<Made> {
  for (const { bytes } of contents) io.addSource(bytes);
  const built = await builders['conda']!.build(layers[0]!, io);
  const env = { ...io.env, ...built.env, PATH: [...built.path, io.env['PATH']].join(':') };
  return { io, built, run: (program, ...args) => execFileSync(program, args, { encoding: 'utf8', env, cwd: io.root }).trim() };
}

function vm(secrets: Readonly<Record<string, string>> = {}, tools: readonly string[] = ['/usr/bin', '/bin']): FakeVm {
  const own = Object.entries(secrets).map(([name, value]): [string, string] => [name.replace(/^conda:/, ''), value]);
  return fakeVm(scratch(), { path: tools, secrets: Object.fromEntries(own) });
}

pythonTest(
  'an environment is made again from its records: programs, prefixes in texts and machine code, activation, post-link scripts',
  async () => {
    const { run, built, io } = await build(await capture(packages));
    const prefix = path.join(io.directory, 'env');
    expect(run('greet')).toBe(`hello from ${prefix}/share:end lab set`);
    expect(built.env).toMatchObject({ CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: 'lab', GREETING: 'lab set', FROM_PACKAGE: 'set' });
    expect(readFileSync(path.join(prefix, 'linked.txt'), 'utf8')).toBe('settings 1\n');
    expect(io.lines).toContain('activated');
    const record = JSON.parse(readFileSync(path.join(prefix, 'conda-meta', 'greet-1.2-pyhd_0.json'), 'utf8')) as Record<string, unknown>;
    expect(record).toMatchObject({
      name: 'greet',
      version: '1.2',
      build: 'pyhd_0',
      url: packages[1]!.url,
      channel: channel.url,
      subdir: 'noarch',
    });
    expect(record['files']).toContain('bin/greet');
    expect(existsSync(path.join(io.directory, 'packages'))).toBe(false);
  },
);

test('a VM without bzip2 unpacks the old format all the same', async () => {
  const tools = scratch();
  for (const tool of ['tar', 'bash', 'env', 'zstd'])
    symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), path.join(tools, tool));
  const { built } = await build(await capture([packages[3]!]), vm({}, [tools]));
  expect(built.env['FROM_PACKAGE']).toBe('set');
});

test('what stands after conda run, mamba run or pixi run runs in the environment', async () => {
  const root = scratch();
  const prefix = path.join(root, '.pixi', 'envs', 'default');
  writeCondaMeta(prefix, [packages[2]!]);
  const argv = ['pixi', 'run', '-e', 'default', '--frozen', 'where'];
  const made = await build(await capturePackages(context(root, argv)));
  const real = path.join(made.io.directory, 'env');
  expect(made.run(argv[0]!, ...argv.slice(1))).toBe(`${real}/share:end`);
  expect(made.run('pixi', 'run', '--', 'sh', '-c', 'echo "$0 $1"', 'a b', '*')).toBe('a b *');
  // Scripts name it by its place in the tree.
  expect(readFileSync(path.join(made.io.root, '.pixi/envs/default/conda-meta/where-2.0-0.json'), 'utf8')).toContain('"name": "where"');
  expect(() => made.run('pixi', 'install')).toThrow("there is 'pixi run' alone");
});

test('a task of pixi runs its command in its directory, after what it depends on; one that is more is refused', async () => {
  const root = scratch();
  const prefix = path.join(root, '.pixi', 'envs', 'default');
  writeCondaMeta(prefix, [packages[2]!]);
  const toml = `
[tasks]
place = "where; pwd; echo"
words = { cmd = ["printf", "%s;", "it's", "$HOME"], cwd = "sub" }
first = { cmd = "echo first $PLACE", env = { PLACE = "in $(basename $PWD)" }, cwd = "sub" }
second = { cmd = "echo second # \\"quoted\\"", depends-on = ["first"], inputs = ["x"] }
all = ["second", { task = "first" }]
last = { cmd = "echo last", depends-on = ["all"] }
round = { depends-on = ["round"] }
named = { cmd = "echo {{ a }}", args = ["a"] }
train = "false"
[target.linux.tasks]
train = "echo on linux"
[feature.gpu.tasks]
other = "echo gpu"
[environments]
gpu = ["gpu"]
`;
  write(root, { 'pixi.toml': toml });
  const pixi = async (...words: readonly string[]): Promise<string[]> => {
    const captured = await capturePackages(context(root, ['pixi', 'run', ...words]));
    const made = await build(captured);
    write(made.io.root, { 'sub/x': '' });
    return made
      .run('pixi', 'run', ...words)
      .replaceAll(made.io.directory, '<layer>')
      .replaceAll(made.io.root, '<tree>')
      .split('\n');
  };
  expect(await pixi('place', 'a b')).toEqual(['<layer>/env/share:end<tree>', 'a b']);
  expect(await pixi('words', '*')).toEqual(["it's;$HOME;*;"]);
  expect(await pixi('last', 'x')).toEqual(['first in sub', 'second', 'last x']);
  expect(await pixi('train')).toEqual(['on linux']);
  for (const [task, why] of [
    ['round', 'round needs round'],
    ['named', 'named takes arguments by name'],
    ['tran', 'neither a task of this environment nor a program here; near are train'],
  ])
    await expect(pixi(task!)).rejects.toMatchObject({ code: 'E_PACKAGE', message: expect.stringContaining(why!) as string });
  writeCondaMeta(path.join(root, '.pixi', 'envs', 'gpu'), [packages[2]!]);
  expect(await pixi('-e', 'gpu', 'other')).toEqual(['gpu']);
  write(root, { 'pixi.toml': '[tasks]\nx = 3\n' });
  await expect(pixi('x')).rejects.toMatchObject({ message: expect.stringContaining('pixi.toml cannot be read: tasks.x') as string });
});

test('a token in a URL is a secret: it reaches the channel, and stands in no recipe and no log', async () => {
  channel.token = 'tk-0123456789abcdef';
  const hidden = packages.slice(2).map((made) => ({
    ...made,
    url: made.url.replace('/shop/', `/t/${channel.token}/shop/`),
    channel: made.channel.replace('/shop', `/t/${channel.token}/shop`),
  }));
  const captured = await capture(hidden);
  expect(JSON.stringify(captured.layers)).not.toContain(channel.token);
  expect(captured.secrets).toEqual({ [`conda:token ${channel.url}`]: channel.token });
  const { io } = await build(captured);
  expect(io.lines.join('\n')).not.toContain(channel.token);
  await expect(build({ ...captured, secrets: {} })).rejects.toMatchObject({
    code: 'E_ENVIRONMENT',
    message: expect.stringMatching(
      /^(where|settings) cannot be fetched from http:\/\/[^@]*: the channel asks for credentials \(401\); tried were none, since none were found here$/,
    ) as string,
  });
});

describe('credentials of a channel that its URLs do not tell are those of', () => {
  const secret = 'pa55-0123456789';
  const basic = `Basic ${Buffer.from(`me:${secret}`).toString('base64')}`;
  const host = (): string => new URL(channel.url).host;

  test.each<[string, string, () => string, { token?: string; authorization?: string }]>([
    ['condarc, a token in a variable', '.condarc', () => `channel_alias: http://${host()}/t/\${CHANNEL_TOKEN}\n`, { token: secret }],
    ['condarc, a password', '.condarc', () => `custom_channels:\n  shop: http://me:${secret}@${host()}\n`, { authorization: basic }],
    ['conda beside it', '.conda/.condarc', () => `channels: ["http://${host()}/t/${secret}/shop"]\n`, { token: secret }],
    ['pixi auth login', '.rattler/credentials.json', () => `{"${host()}": {"CondaToken": "${secret}"}}`, { token: secret }],
    [
      'pixi, for all hosts',
      '.rattler/credentials.json',
      () => `{"*.0.0.1": {"BearerToken": "${secret}"}}`,
      { authorization: `Bearer ${secret}` },
    ],
    [
      'rattler, a password',
      '.rattler/credentials.json',
      () => JSON.stringify({ '127.0.0.1': { BasicHTTP: { username: 'me', password: secret } }, other: { S3Credentials: {} } }),
      { authorization: basic },
    ],
    [
      'micromamba auth login',
      '.mamba/auth/authentication.json',
      () => JSON.stringify({ [host()]: { type: 'BasicHTTPAuthentication', user: 'me', password: Buffer.from(secret).toString('base64') } }),
      { authorization: basic },
    ],
    ['netrc', '.netrc', () => `machine 127.0.0.1 login me password ${secret}\n`, { authorization: basic }],
  ])('%s', async (_of, name, content, asked) => {
    Object.assign(channel, asked);
    const HOME = scratch();
    write(HOME, { [name]: content() });
    const captured = await capture(packages.slice(2), ['make'], { HOME, CHANNEL_TOKEN: secret });
    expect(JSON.stringify(captured.layers)).not.toContain(secret);
    expect(captured.layers[0]!.recipe['credentials']).toEqual({ [`http://${host()}`]: path.join(HOME, name) });
    const { io } = await build(captured);
    expect(io.lines.join('\n')).not.toContain(secret);
    const wrong = Object.fromEntries(Object.entries(captured.secrets).map(([key, value]) => [key, value.replace(secret, 'wrong')]));
    await expect(build({ ...captured, secrets: wrong })).rejects.toMatchObject({
      message: expect.stringMatching(/: the channel asks for credentials \(401\); tried were those of \/.*$/) as string,
      remedy: expect.stringContaining('travel sealed') as string,
    });
  });

  test('nobody, where what people have is for another host, or damaged', async () => {
    const HOME = scratch();
    write(HOME, {
      '.condarc': 'channels: [https://other.example/t/tk-0123456789/shop, : {',
      '.rattler/credentials.json': '{"other.example": {"CondaToken": "tk-0123456789"}, "*.example": 3}',
      '.netrc': 'machine other.example login me password tk-0123456789\n',
    });
    const { secrets, layers } = await capture(packages.slice(2), ['make'], { HOME });
    expect(secrets).toEqual({});
    expect(layers[0]!.recipe).not.toHaveProperty('credentials');
  });
});

test('an archive of this machine travels with the layer', async () => {
  const file = channel.fileOf(packages[2]!);
  const captured = await capture([{ ...packages[2]!, url: `file://${file}` }]);
  expect(captured.contents.map(({ bytes }) => bytes.length)).toEqual([readFileSync(file).length]);
  const { run, io } = await build(captured);
  expect(run('where')).toContain(io.directory);
  expect(channel.asked).toEqual([]);
});

test('variables that were set for the environment travel sealed', async () => {
  const root = scratch();
  const prefix = path.join(root, 'lab');
  writeCondaMeta(prefix, [packages[3]!]);
  writeFileSync(
    path.join(prefix, 'conda-meta', 'state'),
    JSON.stringify({ version: 1, env_vars: { DB: 'postgres://me:hunter22@db', OLD: '***unset***' } }),
  );
  const env = { CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: 'lab', PATH: '/usr/bin:/bin' };
  const captured = await capturePackages(context(root, ['make'], { env }));
  expect(JSON.stringify(captured.layers)).not.toContain('hunter22');
  const { built } = await build(captured);
  expect(built.env['DB']).toBe('postgres://me:hunter22@db');
  expect(built.env['OLD']).toBeUndefined();
});

describe('fails, naming the package, when', () => {
  const failure = async (captured: CapturedPackages): Promise<unknown> =>
    build(captured).then(
      () => undefined,
      (error: unknown) => error,
    );

  test('the channel no longer has it', async () => {
    channel.failing.set(`/shop/linux-64/${packages[2]!.fn}`, 404);
    expect(await failure(await capture([packages[2]!]))).toMatchObject({
      code: 'E_ENVIRONMENT',
      message: `where cannot be fetched from ${packages[2]!.url}: it is no longer there (404)`,
      data: { package: 'where' },
    });
  });

  test('the channel gives something else', async () => {
    writeFileSync(channel.fileOf(packages[2]!), 'something else');
    expect(await failure(await capture([packages[2]!]))).toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringContaining(`instead of ${packages[2]!.sha256}`) as string,
    });
  });

  test.each(['.conda', '.tar.bz2'])('its %s archive is damaged', async (format) => {
    const made = packages.find(({ fn }) => fn.endsWith(format))!;
    const bytes = readFileSync(channel.fileOf(made));
    writeFileSync(channel.fileOf(made), bytes.subarray(0, bytes.length >> 1));
    const { sha256: _sha256, md5: _md5, ...record } = made;
    expect(await failure(await capture([record]))).toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringMatching(new RegExp(`^the conda package ${made.name} .* cannot be installed: it `)) as string,
    });
  });

  test('a script of its activation or after linking fails', async () => {
    const one = channel.add({ name: 'one', version: '1', files: { 'etc/conda/activate.d/one.sh': 'echo no such GPU\nexit 3\n' } });
    const two = channel.add({ name: 'two', version: '1', files: { 'bin/.two-post-link.sh': 'exit 1\n' } });
    expect(await failure(await capture([one]))).toMatchObject({ message: expect.stringContaining('one of one.sh failed') as string });
    expect(await failure(await capture([two]))).toMatchObject({
      message: expect.stringContaining('two cannot be installed: its post-link script failed') as string,
    });
  });

  test('a path of it leads out of the environment', async () => {
    const evil = channel.add({ name: 'evil', version: '1', files: { '../evil.txt': 'x' } });
    expect(await failure(await capture([evil]))).toMatchObject({ code: 'E_ENVIRONMENT', data: { package: 'evil' } });
  });
});
