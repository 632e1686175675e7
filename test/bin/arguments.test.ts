import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { RunRequest } from '../../lib/runtime/api';
import { Cli } from './cli';

async function requestOf(...words: string[]): Promise<RunRequest> {
  const cli = new Cli({ env: { TOKEN: 'from-here' } });
  expect({ code: await cli.run('run', ...words), stderr: cli.stderr }).toMatchObject({ code: 0 });
  return cli.client.requests[0]!;
}

describe('what the options of run ask for', () => {
  const table: readonly [string, Partial<RunRequest>][] = [
    ['true', { command: ['true'], credentials: 'forward', root: false, cwd: '/home/dev/project/sub' }],
    ['--name nightly.1 true', { name: 'nightly.1' }],
    ['--cpu 4 true', { cpu: { min: 4 } }],
    ['--cpu=2-8 true', { cpu: { min: 2, max: 8 } }],
    ['--memory 8GiB true', { memoryGiB: { min: 8 } }],
    ['--memory 8-16GiB true', { memoryGiB: { min: 8, max: 16 } }],
    ['--memory 512MB-1.5G true', { memoryGiB: { min: 0.5, max: 1.5 } }],
    ['--arch aarch64 true', { arch: 'arm64' }],
    ['--disk 100GiB true', { diskGiB: 100 }],
    ['--image ami-0123456789abcdef0 true', { image: 'ami-0123456789abcdef0' }],
    ['--vm-type m7i.large,m6i.large --vm-type c7i.large true', { vmTypes: ['m7i.large', 'm6i.large', 'c7i.large'] }],
    ['-e A=1 --env B=x=y -e TOKEN true', { variables: { A: '1', B: 'x=y', TOKEN: 'from-here' } }],
    ['--timeout 1h30m --max-lifetime 2d true', { timeoutS: 5400, lifetimeS: 172_800 }],
    ['--idle-timeout 30m true', { idleTimeoutS: 1800 }],
    ['-t team=research --tag k= true', { tags: { team: 'research', k: '' } }],
    ['--no-credentials --root true', { credentials: 'none', root: true }],
    ['--no-cache true', { cache: 'rebuild' }],
  ];
  test.each(table)('run %s', async (line, expected) => {
    expect(await requestOf(...line.split(' '))).toMatchObject(expected);
  });
});

describe('where the options of run end', () => {
  test('at the first word that is no option', async () => {
    expect((await requestOf('--cpu', '4', 'python', 'train.py', '--cpu', '8', '--json')).command).toEqual([
      'python',
      'train.py',
      '--cpu',
      '8',
      '--json',
    ]);
  });

  test('at --, which is not part of the command', async () => {
    expect((await requestOf('--', '-odd', '--name', 'x')).command).toEqual(['-odd', '--name', 'x']);
  });

  test('a -- of the command itself stays', async () => {
    expect((await requestOf('npm', 'test', '--', '--watch')).command).toEqual(['npm', 'test', '--', '--watch']);
  });

  test('--download takes no word of the command', async () => {
    const request = await requestOf('--download', 'python', 'x.py');
    expect(request.command).toEqual(['python', 'x.py']);
  });
});

describe('command lines that are refused', () => {
  const table: readonly [string, RegExp][] = [
    ['run', /missing required argument 'command'/],
    ['run --gpu T4 python x.py', /unknown option '--gpu'/],
    ['run --spot-policy cheap true', /--spot-policy 'cheap' is not known; allowed are on-demand, spot, spot_with_fallback/],
    ['run --retries many true', /--retries 'many' is not a number of retries; allowed are whole numbers, as 3/],
    ['run --retries 101 true', /101 retries are not possible; allowed are whole numbers from 0 to 100/],
    ['run --tmeout 5m true', /unknown option '--tmeout'; did you mean --timeout\?/],
    ['rn true', /unknown command 'rn'; did you mean run\?/],
    ['ps extra', /too many arguments/],
    ['extend job', /missing required argument 'duration'/],
    ['run --cpu 8-2 true', /--cpu '8-2' is an empty range/],
    ['run --cpu -2 true', /--cpu '-2' is not a number/],
    ['run --cpu 0 true', /--cpu '0' must be greater than zero/],
    ['run --memory 8parsec true', /--memory '8parsec' is not a size/],
    ['run --memory 16-8GiB true', /empty range/],
    ['run --timeout 5fortnights true', /--timeout '5fortnights' is not a duration/],
    ['run --timeout 0 true', /--timeout '0' must be greater than zero/],
    ['run --idle-timeout 0 true', /--idle-timeout '0' must be greater than zero/],
    ['run --max-lifetime 5s true', /lifetime of 5 s is not possible/],
    ['run --disk 30.5GiB true', /disk of 30.5 GiB is not possible/],
    ['run --arch mips true', /--arch 'mips' is not known/],
    ['run --image latest true', /image 'latest' is not an AMI id/],
    ['run --vm-type huge true', /--vm-type 'huge' is not an EC2 instance type/],
    ['run --tag lonely true', /--tag 'lonely' is not a tag/],
    ['run --tag aws:x=1 true', /tag 'aws:x' is reserved/],
    ['run --tag rawcloud:job=1 true', /tag 'rawcloud:job' is reserved/],
    ['run --name sp/ace true', /name 'sp\/ace' is not valid/],
    ['run -e 1A=2 true', /'1A' is not a name of a variable/],
    ['run -e NOT_SET true', /variable NOT_SET is not set here/],
    ['run --env-file nowhere.env true', /--env-file 'nowhere.env' cannot be read/],
    ['run --detach --download true', /--download needs somebody to wait/],
    ['ps --limit none', /--limit 'none' is not a number of jobs/],
    ['extend job soon', /'soon' is not a duration/],
  ];
  test.each(table)('fails: %s', async (line, message) => {
    const cli = new Cli();
    expect(await cli.run(...line.split(' '))).toBe(2);
    expect(cli.stderr).toMatch(/^error: /);
    expect(cli.stderr).toMatch(message);
    expect(cli.stdout).toBe('');
    expect(cli.client.requests).toEqual([]);
  });

  test('fails with everything that is wrong at once', async () => {
    const cli = new Cli();
    expect(await cli.run('run', '--cpu', '8-2', '--memory', 'much', '--tag', 'aws:a=1', '--name', '!', '-e', '=', 'true')).toBe(2);
    for (const part of ["--cpu '8-2'", "--memory 'much'", "tag 'aws:a'", "name '!'", '--env: ']) expect(cli.stderr).toContain(part);
    expect(cli.stderr).toContain('→ rawcloud run --help');
  });

  test('fails with one JSON line when asked for JSON', async () => {
    const cli = new Cli();
    expect(await cli.run('run', '--json', '--cpu', '8-2', 'true')).toBe(2);
    expect(cli.lines).toMatchObject([{ v: 1, type: 'error', data: { code: 'E_USAGE' } }]);
    expect(cli.stderr).toBe('');
  });

  test('fails when both JSON and silence are asked for', async () => {
    const cli = new Cli();
    expect(await cli.run('run', '--json', '--quiet', 'true')).toBe(2);
    expect(cli.lines).toMatchObject([{ type: 'error', data: { message: '--json and --quiet exclude each other' } }]);
  });

  test('fails with one JSON line for an unknown option, too', async () => {
    const cli = new Cli();
    expect(await cli.run('run', '--json', '--gpu', 'true')).toBe(2);
    expect(cli.lines).toMatchObject([{ type: 'error', data: { code: 'E_USAGE' } }]);
    expect(cli.lines[0]!.data!['message']).toContain('--gpu');
  });
});

describe('a file of variables', () => {
  let dir = '';
  beforeEach(async () => void (dir = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-env-'))));
  afterEach(() => rm(dir, { recursive: true }));

  test('is read line by line, and --env wins over it', async () => {
    const lines = [
      '# comment',
      '',
      'PLAIN=value with = and spaces # comment',
      'HASH=abc#def',
      "SINGLE='as $it \\n stands # here'",
      'DOUBLE="two\\nlines \\"quoted\\"" # comment',
      'export EXPORTED = yes',
      'FROM_HERE',
      'EMPTY=',
      'WON=lost',
    ];
    await writeFile(path.join(dir, '.env'), lines.join('\r\n'));
    const cli = new Cli({ cwd: dir, env: { FROM_HERE: 'here # kept' } });
    expect({ code: await cli.run('run', '--env-file', '.env', '--env', 'WON=won', 'true'), stderr: cli.stderr }).toMatchObject({ code: 0 });
    expect(cli.client.requests[0]!.variables).toEqual({
      PLAIN: 'value with = and spaces',
      HASH: 'abc#def',
      SINGLE: 'as $it \\n stands # here',
      DOUBLE: 'two\nlines "quoted"',
      EXPORTED: 'yes',
      FROM_HERE: 'here # kept',
      EMPTY: '',
      WON: 'won',
    });
  });

  test('fails with the number of every bad line, and shows no value', async () => {
    await writeFile(path.join(dir, 'bad.env'), 'GOOD=hush1\nmy password is hush2\nABSENT\nOPEN="hush3\n2BAD=hush4\n');
    const cli = new Cli({ cwd: dir });
    expect(await cli.run('run', '--env-file', 'bad.env', 'true')).toBe(2);
    for (const line of [2, 3, 4, 5]) expect(cli.stderr).toContain(`bad.env, line ${line}: `);
    expect(cli.stderr).not.toContain('hush');
    expect(cli.stderr).not.toContain('line 1:');
  });
});

describe('help and version', () => {
  test('--version prints the version of the package', async () => {
    const cli = new Cli();
    expect(await cli.run('--version')).toBe(0);
    expect(cli.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([['--help'], ['run --help'], ['logs --help'], ['help stop'], ['local --help']])(
    '%s prints examples to stdout',
    async (line) => {
      const cli = new Cli();
      expect(await cli.run(...line.split(' '))).toBe(0);
      expect(cli.stdout).toContain('Examples:');
      expect(cli.stderr).toBe('');
    },
  );

  test('fails without a verb, with the help on stderr', async () => {
    const cli = new Cli();
    expect(await cli.run()).toBe(2);
    expect(cli.stdout).toBe('');
    expect(cli.stderr).toContain('Usage: rawcloud');
  });
});

describe('where the client connects to', () => {
  test('AWS by default, with region, profile and scaffolding as given', async () => {
    const cli = new Cli();
    await cli.run('ps', '--region', 'eu-west-1', '--profile', 'work', '--scaffold', 'team');
    expect(cli.connections).toMatchObject([{ local: false, region: 'eu-west-1', profile: 'work', scaffold: 'team' }]);
  });

  test.each([
    ['--local', {}, true],
    ['', { RAWCLOUD_LOCAL: '1' }, true],
    ['', { RAWCLOUD_LOCAL: '0' }, false],
  ])('the local cloud by %j and %j: %j', async (option, env, local) => {
    const cli = new Cli({ env });
    await cli.run('ps', ...(option ? [option] : []));
    expect(cli.connections).toMatchObject([{ local }]);
  });
});
