import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { House } from './house';

let house: House;

beforeAll(async () => {
  house = await House.open();
});

afterAll(async () => {
  expect(house.alive()).toEqual([]);
  await house.close();
});

describe('rawcloud run', () => {
  test.each([
    ['true', 0],
    ['exit 7', 7],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
  ])('leaves with the command’s own code: sh -c "%s" is %i', async (script, code) => {
    const ended = await house.rawcloud(['run', '--', 'sh', '-c', script]);
    expect(ended.code).toBe(code);
    await house.allGone();
  });

  test('is 127 for a command that does not exist, and 126 for one that cannot be executed', async () => {
    await house.write({ 'plain.txt': 'not a program' });
    expect(await house.rawcloud(['run', 'no-such-program'])).toMatchObject({
      code: 127,
      stderr: expect.stringContaining('not found') as string,
    });
    expect((await house.rawcloud(['run', './plain.txt'])).code).toBe(126);
  });

  test('keeps stdout and stderr apart, and says the bill', async () => {
    const ended = await house.rawcloud(['run', '--', 'sh', '-c', 'echo out; echo err >&2']);
    expect(ended.stdout.toString()).toBe('out\n');
    expect(ended.stderr).toMatch(/err\n/);
    expect(ended.stderr).toMatch(/\$0\.0\d+.*price (table|list)/);
  });

  test('takes the files of the project, and the one that git ignores but the command names', async () => {
    await house.write({ 'src/a.txt': 'A', 'data.csv': 'ignored but named', 'other.csv': 'ignored', '.gitignore': '*.csv\n' });
    const ended = await house.rawcloud(['run', '--quiet', '--', 'sh', '-c', 'cat src/a.txt "$1"; ls', 'sh', 'data.csv']);
    expect(ended.stdout.toString()).toContain('Aignored but named');
    expect(ended.stdout.toString()).not.toContain('other.csv');
  });

  test('gives the job what is piped in', async () => {
    const content = randomBytes(3 * 2 ** 20);
    const ended = await house.rawcloud(['run', '--quiet', 'cat'], { stdin: content });
    expect(ended.stdout.equals(content)).toBe(true);
  });

  test('shows output as it is written, not when the job ends', async () => {
    await house.write({ 'wait.sh': 'echo first; until [ -e go ]; do sleep 0.05; done; echo last\n' });
    const running = house.start(['run', '--quiet', '--', 'bash', 'wait.sh']);
    await running.saw(/first/);
    await house.place('go');
    expect((await running.ended).stdout.toString()).toBe('first\nlast\n');
  });

  test('gives the job a fresh environment: the chosen variables, none of ours, none of the developer’s', async () => {
    const ended = await house.rawcloud(['run', '--quiet', '-e', 'CHOSEN=yes please', '-e', 'FROM_HERE', '--', 'env'], {
      env: { FROM_HERE: 'here', PRIVATE: 'x' },
    });
    const env = ended.stdout.toString();
    expect(env).toContain('CHOSEN=yes please\n');
    expect(env).toContain('FROM_HERE=here\n');
    expect(env).toContain('PYTHONUNBUFFERED=1\n');
    expect(env).not.toMatch(/PRIVATE|RAWCLOUD_GRANT|RAWCLOUD_LOCAL|AWS_ACCESS_KEY_ID/);
  });

  test('keeps a secret variable out of everything but the sealed object and the grant', async () => {
    const secret = `s3cr3t-${randomBytes(12).toString('hex')}`;
    const running = house.start(['run', '--env', `API_TOKEN=${secret}`, '--', 'sh', '-c', 'test -n "$API_TOKEN" && echo ready && sleep 1']);
    await running.saw(/ready/);
    const during = await house.everything();
    const ended = await running.ended;
    await house.allGone();
    const after = await house.everything();
    expect(ended.code).toBe(0);
    expect(ended.stdout.toString() + ended.stderr).not.toContain(secret);
    const holds = (files: typeof during): string[] => files.filter((f) => f.content.includes(secret)).map((f) => f.name);
    // While it runs: the sealed object in the bucket, and the grant on the VM's own disk, readable by nobody else.
    for (const name of holds(during)) expect(name).toMatch(/s3|run\/rawcloud\/grant\.json/);
    expect(holds(during).length).toBeLessThanOrEqual(3);
    expect(holds(after).filter((name) => !name.includes('/machines/'))).toEqual([]);
    const calls = JSON.stringify(house.cloud.calls.recent()) + JSON.stringify(house.cloud.ec2.instances());
    expect(calls).not.toContain(secret);
  });

  test('brings new files home', async () => {
    await house.write({ 'keep.txt': 'old' });
    const ended = await house.rawcloud([
      'run',
      '--download',
      '--',
      'sh',
      '-c',
      'mkdir -p results; echo made > results/new.txt; echo changed > keep.txt',
    ]);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain('results/new.txt');
    expect(await readFile(path.join(house.project, 'results/new.txt'), 'utf8')).toBe('made\n');
    expect(await readFile(path.join(house.project, 'keep.txt'), 'utf8')).toBe('changed\n');
  });
});
