import { openAws } from '../../lib/aws/clients';
import type { AwsContext } from '../../lib/aws/clients';
import { createS3Store } from '../../lib/aws/s3-store';
import { bucketKeys, decodeJson, encodeJson, MarksSchema } from '../../lib/contract';
import type { Store } from '../../lib/contract';
import type { ReapReport } from '../../lib/runtime';
import { House } from './house';

let house: House;
let aws: AwsContext;
let store: Store;
beforeAll(async () => {
  house = await House.open();
  const { url: endpoint, region, credentials, scaffold } = house.cloud;
  aws = await openAws({ env: {}, region, endpoint, credentials });
  store = createS3Store(aws, { bucket: scaffold.bucket });
});
afterAll(async () => {
  aws.close();
  await house.close();
});

async function ageMarks(ms: number): Promise<void> {
  const found = await store.get(bucketKeys.reaperMarks);
  if (typeof found === 'string') throw new Error('there are no marks');
  const record = decodeJson(MarksSchema, found.body, 'marks');
  await store.put(bucketKeys.reaperMarks, encodeJson({ ...record, marks: record.marks.map((m) => ({ ...m, since: m.since - ms })) }));
}

const reap = (): Promise<ReapReport> => house.value<ReapReport>(['reap']);

test('a VM that nobody knows any more is ended with all that runs on it, and a VM that works is not', async () => {
  const start = async (): Promise<[job: string, vm: string]> => {
    const before = house.alive();
    const { stdout } = await house.rawcloud(['run', '--detach', '--', 'sleep', '600']);
    return [stdout.toString().trim(), house.alive().find((id) => !before.includes(id))!];
  };
  const [forgotten, left] = await start();
  const [, works] = await start();
  await store.delete(bucketKeys.active(forgotten));

  expect(await reap()).toMatchObject({
    jobs: 1,
    marked: [{ kind: 'vm', id: left, why: 'no-open-job', job: forgotten }],
    removed: [],
    waiting: 1,
  });
  expect(await reap()).toMatchObject({ marked: [], removed: [], waiting: 1 });
  expect(house.alive().sort()).toEqual([left, works].sort());

  await ageMarks(61_000);
  expect(await reap()).toMatchObject({ removed: [{ id: left }], unproved: [], waiting: 0 });
  await house.cloud.ec2.whenState(left, 'terminated', AbortSignal.timeout(15_000));
  expect(house.alive()).toEqual([works]);
  // The house's own end proves that no process of either VM is left.
  expect((await house.rawcloud(['stop'])).code).toBe(0);
  await house.allGone();
}, 60_000);

test('a run waits while the reaper deletes what it needs, and sends it again', async () => {
  await house.write({ 'needed.txt': 'content of its own' });
  expect((await house.rawcloud(['run', '--', 'cat', 'needed.txt'])).stdout.toString()).toBe('content of its own');
  const content: string[] = [];
  for await (const { key } of store.list(bucketKeys.files)) content.push(key);
  const sweep = (rev: number, keys: string[]): Promise<unknown> =>
    store.put(bucketKeys.sweep, encodeJson({ v: 1, rev, by: 'reaper', keys, more: false }));
  await sweep(1, content);

  const running = house.start(['run', '--', 'cat', 'needed.txt']);
  await running.saw(/the reaper is deleting old content/);
  expect(house.alive()).toEqual([]);
  for (const key of content) await store.delete(key);
  await sweep(2, []);
  const { code, stdout } = await running.ended;
  expect([code, stdout.toString()]).toEqual([0, 'content of its own']);
  await house.allGone();
}, 60_000);
