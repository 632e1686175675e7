import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openAws } from '../../lib/aws/clients';
import type { AwsContext } from '../../lib/aws/clients';
import { createS3Store } from '../../lib/aws/s3-store';
import { createWireStore } from '../../lib/aws/wire-store';
import { startLocalCloud } from '../../lib/local/cloud';
import type { LocalCloud } from '../../lib/local/cloud';
import { systemClock } from '../../lib/contract';
import { createMemoryStore } from '../../lib/store/memory';
import { describeStore } from './store-suite';

let directory: string;
let cloud: LocalCloud;
let aws: AwsContext;
const wires: { close(): void }[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-test-'));
  cloud = await startLocalCloud({ stateDir: path.join(directory, 'state'), imageNode: false });
  aws = await openAws({ env: {}, region: cloud.region, endpoint: cloud.url, credentials: cloud.credentials });
});

afterAll(async () => {
  aws.close();
  wires.forEach((wire) => wire.close());
  await cloud.close();
  await rm(directory, { recursive: true, force: true });
});

describeStore('the memory store', () => Promise.resolve(createMemoryStore({ now: () => Date.now() })));

describeStore('the S3 store of clients', () =>
  Promise.resolve(createS3Store(aws, { bucket: cloud.scaffold.bucket, account: cloud.scaffold.account })),
);

describeStore(
  'the S3 store of agents',
  () => {
    const wire = createWireStore({
      region: cloud.region,
      bucket: cloud.scaffold.bucket,
      endpoint: cloud.url,
      credentials: () => Promise.resolve(cloud.credentials),
      clock: systemClock,
    });
    wires.push(wire);
    return Promise.resolve(wire);
  },
  { canList: false },
);

describe('a store of a bucket in foreign hands', () => {
  test('fails', async () => {
    const store = createS3Store(aws, { bucket: cloud.scaffold.bucket, account: '999999999999' });
    await expect(store.put('v1/files/x', Buffer.from('x'))).rejects.toMatchObject({ code: 'E_PERMISSION' });
  });
});
