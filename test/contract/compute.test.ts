import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openAws } from '../../lib/aws/clients';
import type { AwsContext } from '../../lib/aws/clients';
import { mapBounded } from '../../lib/contract';
import { startLocalCloud } from '../../lib/local/cloud';
import type { LocalCloud } from '../../lib/local/cloud';
import { emptyDriver } from '../fakes/empty-driver';
import { describeAccount } from './account-suite';
import { describeCompute } from './compute-suite';

const PATIENCE_MS = 30_000;

let directory: string;
let cloud: LocalCloud;
let aws: AwsContext;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-test-'));
  cloud = await startLocalCloud({ stateDir: path.join(directory, 'state'), imageNode: false, driver: emptyDriver() });
  aws = await openAws({ env: {}, region: cloud.region, endpoint: cloud.url, credentials: cloud.credentials });
});

afterAll(async () => {
  aws.close();
  await cloud.close();
  await rm(directory, { recursive: true, force: true });
});

const at = () => ({ aws, scaffold: cloud.scaffold });

describeCompute({
  place: 'local cloud',
  at,
  whenGone: async (ids) => {
    await mapBounded(ids, 8, (id) => cloud.ec2.whenState(id, 'terminated', AbortSignal.timeout(PATIENCE_MS)));
  },
});
describeAccount('local cloud', at);
