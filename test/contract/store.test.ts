import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openAws } from '../../lib/aws/clients';
import type { AwsContext } from '../../lib/aws/clients';
import { startLocalCloud } from '../../lib/local/cloud';
import type { LocalCloud } from '../../lib/local/cloud';
import { createMemoryStore } from '../../lib/store/memory';
import { describeS3Stores } from './s3-stores';
import { describeStore } from './store-suite';

let directory: string;
let cloud: LocalCloud;
let aws: AwsContext;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-test-'));
  cloud = await startLocalCloud({ stateDir: path.join(directory, 'state'), imageNode: false });
  aws = await openAws({ env: {}, region: cloud.region, endpoint: cloud.url, credentials: cloud.credentials });
});

afterAll(async () => {
  aws.close();
  await cloud.close();
  await rm(directory, { recursive: true, force: true });
});

describeStore({
  title: 'the memory store',
  place: 'memory',
  open: () => Promise.resolve(createMemoryStore({ now: () => Date.now() })),
});

describeS3Stores('local cloud', () => ({
  aws,
  endpoint: cloud.url,
  bucket: cloud.scaffold.bucket,
  account: cloud.scaffold.account,
  credentials: cloud.credentials,
}));
