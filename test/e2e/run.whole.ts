import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { House } from './house';

let house: House;

beforeAll(async () => {
  house = await House.open();
});

afterAll(() => house.close());

describe('rawcloud run', () => {
  test('passes twenty megabytes of random bytes through unchanged', async () => {
    const content = randomBytes(20 * 2 ** 20);
    await house.write({ 'random.bin': content });
    const ended = await house.rawcloud(['run', '--quiet', 'cat', 'random.bin']);
    expect(ended.code).toBe(0);
    expect(ended.stdout.equals(content)).toBe(true);
  });

  // A python3 without packages of its own: nothing is installed, and no network is needed.
  const python = existsSync('/usr/bin/python3') ? test : test.skip;
  python('shows what a Python program prints after a silence as it prints it', async () => {
    await house.write({
      'chatty.py':
        'import time, os\ntime.sleep(0.5)\nfor i in range(3):\n    print("line", i)\nwhile not os.path.exists("go"):\n    time.sleep(0.05)\n',
    });
    const running = house.start(['run', '--quiet', 'python3', 'chatty.py'], { env: { PATH: '/usr/bin:/bin' } });
    await running.saw(/line 2/);
    await house.place('go');
    expect((await running.ended).code).toBe(0);
  });

  test('hands the caller’s identity to the job, through a container endpoint, and with --no-credentials nothing', async () => {
    await house.write({
      'who.js': `
const { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN: authorization } = process.env;
if (!url) { console.log('none'); process.exit(0); }
fetch(url, { headers: { authorization } }).then((r) => r.json()).then((c) => console.log(Object.keys(c).sort().join(), c.AccessKeyId.slice(0, 4)));
`,
    });
    expect((await house.rawcloud(['run', '--quiet', 'node', 'who.js'])).stdout.toString()).toBe(
      'AccessKeyId,Expiration,SecretAccessKey,Token ASIA\n',
    );
    expect((await house.rawcloud(['run', '--quiet', '--no-credentials', 'node', 'who.js'])).stdout.toString()).toBe('none\n');
  });

  test('ends a command that takes too long, with 124', async () => {
    const ended = await house.rawcloud(['run', '--timeout', '1s', '--', 'sleep', '600']);
    expect(ended.code).toBe(124);
    expect(ended.stderr).toMatch(/time limit/);
  });

  test('uploads nothing that is already there', async () => {
    await house.write({ 'src/b.txt': randomBytes(1000) });
    await house.rawcloud(['run', '--quiet', 'true']);
    const before = house.cloud.calls.recent().length;
    await house.rawcloud(['run', '--quiet', 'true']);
    const puts = house.cloud.calls
      .recent()
      .slice(before)
      .filter((c) => c.operation === 'PutObject' && /v1\/(files|agent)\//.test(c.resource));
    expect(puts).toEqual([]);
  });
});
