import { once } from 'node:events';
import { text } from 'node:stream/consumers';
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
  const { elsewhere } = record;
  const aged = {
    ...record,
    marks: record.marks.map((m) => ({ ...m, since: m.since - ms })),
    ...(elsewhere ? { elsewhere: { ...elsewhere, at: elsewhere.at - ms } } : {}),
  };
  await store.put(bucketKeys.reaperMarks, encodeJson(aged));
}

const reap = (): Promise<ReapReport> => house.value<ReapReport>(['reap']);

test('a detached job is finished by the reaper when nobody watches', async () => {
  const ended = await house.rawcloud(['run', '--detach', '--', 'sh', '-c', 'echo done; exit 3']);
  const id = ended.stdout.toString().trim();
  await house.allGone();
  const reaped = await house.rawcloud(['reap']);
  expect(reaped.code).toBe(0);
  expect((await house.rawcloud(['attach', id])).code).toBe(3);
  expect((await house.rawcloud(['logs', id])).stdout.toString()).toBe('done\n');
});

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

test('a VM of the scaffolding’s name in another region is told and left alone; a region that fails stops no other, and fails the pass', async () => {
  await reap();
  await house.rawcloud(['run', '--detach', '--', 'sleep', '600']);
  const [id] = house.alive() as [string];
  await house.cloud.ec2.whenState(id, 'running', AbortSignal.timeout(15_000));
  const running = house.cloud.ec2.instances().find((instance) => instance.id === id)!;
  const twin = async (region: string, copy: string): Promise<void> =>
    house.cloud.ec2.others.put(region, { ...running, id: copy, zone: `${region}a`, tags: { ...running.tags, 'rawcloud:job': 'jgone' } });
  await Promise.all([twin('eu-west-1', 'i-nobodys'), twin('eu-central-1', 'i-looked-after'), twin('us-west-2', 'i-behind-a-fault')]);
  // A scaffolding of that name, with a reaper of its own.
  const there = await aws.inRegion('eu-central-1');
  const { PutParameterCommand } = await import('@aws-sdk/client-ssm');
  await (await there.ssm()).send(new PutParameterCommand({ Name: '/rawcloud/default/scaffold', Value: '{}', Type: 'String' }));
  there.close();
  const effect = { kind: 'error', status: 403, code: 'UnauthorizedOperation', message: 'a service control policy says no' } as const;
  house.cloud.faults.arm({ operation: 'ec2:Describe*', region: 'us-west-2', count: 99, effect });
  await ageMarks(2 * 3_600_000);

  const failed = await house.rawcloud(['reap']);
  expect(failed.code).toBe(125);
  const said = failed.stdout.toString();
  expect(said).toContain(
    'marked      vm i-nobodys in eu-west-1, job jgone: has our tag, and no scaffolding there looks after it: left alone',
  );
  expect(said).toMatch(/not proved {2}region us-west-2: .*a service control policy says no/);
  expect(said).not.toContain('i-looked-after');
  house.cloud.faults.clear();
  expect(await reap()).toMatchObject({ marked: [{ id: 'i-behind-a-fault', region: 'us-west-2' }], removed: [], unproved: [] });
  const changed = house.cloud.calls.recent().filter(({ code }) => code === 'UnsupportedOperation');
  expect(changed).toEqual([]);
  await house.rawcloud(['stop']);
  await house.allGone();
}, 60_000);

test('a reaper that EC2 throttles throughout says so, fails and changes no mark', async () => {
  await reap();
  const before = await store.get(bucketKeys.reaperMarks);
  const effect = { kind: 'error', status: 503, code: 'RequestLimitExceeded' } as const;
  house.cloud.faults.arm({ operation: 'ec2:*', count: 1_000, effect });
  const { code, stderr } = await house.rawcloud(['reap']);
  house.cloud.faults.clear();
  expect(code).toBe(120);
  expect(stderr).toMatch(/RequestLimitExceeded/);
  const after = await store.get(bucketKeys.reaperMarks);
  expect(typeof after === 'string' || typeof before === 'string' || after.etag === before.etag).toBe(true);
  expect(await reap()).toMatchObject({ unproved: [] });
}, 60_000);

test('the function logs a pass that could not do all as metrics too, when it shall, and fails; the next one has nothing to count', async () => {
  const pass = async (): Promise<{ failed: boolean; lines: unknown[] }> => {
    const called = house.callFunction('reap', {}, { RAWCLOUD_METRICS: 'on' });
    const [stdout, [code]] = await Promise.all([text(called.stdout!), once(called, 'exit')]);
    return {
      failed: code !== 0,
      lines: stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    };
  };
  const { region } = house.cloud;
  const effect = { kind: 'error', status: 403, code: 'UnauthorizedOperation' } as const;
  house.cloud.faults.arm({ operation: 'ec2:DescribeVolumes', region, effect });
  const { failed, lines } = await pass();
  expect([failed, lines]).toEqual([
    true,
    [expect.objectContaining({ removed: [] }), expect.objectContaining({ Scaffolding: 'default', Unproved: 1 })],
  ]);
  house.cloud.faults.clear();
  expect(await pass()).toEqual({ failed: false, lines: [expect.objectContaining({ unproved: [] })] });
}, 60_000);
