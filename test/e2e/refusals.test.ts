import { bucketKeys } from '../../lib/contract';
import { House } from './house';

let house: House;

beforeAll(async () => {
  house = await House.open();
});

afterAll(async () => {
  await house.close();
});

afterEach(() => {
  expect(house.calls('RunInstances')).toBe(0);
});

/** As on AWS: endpoint and keys from the environment, no --local. */
function asOnAws(change: Record<string, string | undefined> = {}): Record<string, string | undefined> {
  return {
    RAWCLOUD_LOCAL: undefined,
    AWS_ENDPOINT_URL: house.cloud.url,
    AWS_REGION: house.cloud.region,
    AWS_ACCESS_KEY_ID: house.cloud.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: house.cloud.credentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...change,
  };
}

describe('rawcloud run fails, launching nothing,', () => {
  test('on an option of a later version', async () => {
    const ended = await house.rawcloud(['run', '--gpu', 'T4', 'true']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('--gpu');
  });

  test('on hardware that does not exist', async () => {
    const ended = await house.rawcloud(['run', '--cpu', '9999', 'true']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/at least 9999 vCPU/);
  });

  test('without credentials', async () => {
    const ended = await house.rawcloud(['run', 'true'], {
      env: asOnAws({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }),
    });
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/credentials/i);
    expect(ended.stderr).toMatch(/aws sso login|AWS_PROFILE/);
  });

  test('with a wrong secret key', async () => {
    const ended = await house.rawcloud(['run', 'true'], { env: asOnAws({ AWS_SECRET_ACCESS_KEY: 'wrong' }) });
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/secret key does not fit/);
  });

  test('without scaffolding', async () => {
    const ended = await house.rawcloud(['run', '--scaffold', 'other', 'true'], { env: asOnAws() });
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/no rawcloud scaffolding 'other'.*\n?.*rawcloud deploy/s);
  });

  test('when the endpoint is down', async () => {
    const ended = await house.rawcloud(['run', 'true'], { env: asOnAws({ AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }) });
    expect(ended.code).toBe(125);
    expect(ended.stderr).toMatch(/ECONNREFUSED/);
  });

  test('without a region', async () => {
    const ended = await house.rawcloud(['run', 'true'], { env: asOnAws({ AWS_REGION: undefined }) });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/region/);
  });

  test('from the home directory', async () => {
    const ended = await house.rawcloud(['run', 'true'], { cwd: house.env['HOME']! });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/home directory/);
  });

  test('on a data file outside the tree', async () => {
    await house.write({ '../outside.csv': 'x' });
    const ended = await house.rawcloud(['run', 'cat', '../outside.csv']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/outside\.csv/);
  });

  test('with --dry-run, which shows plan and price', async () => {
    const ended = await house.rawcloud(['run', '--dry-run', 'true']);
    expect(ended.code).toBe(0);
    expect(ended.stdout.toString()).toMatch(/\$0\.\d+/);
    // Prices that were asked for anew are kept for the next; nothing else is written.
    const written = house.cloud.calls.recent().filter((c) => c.operation === 'PutObject');
    expect(written.filter(({ resource }) => !resource?.includes(`/${bucketKeys.market(house.cloud.region)}`))).toEqual([]);
  });
});
