import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { House } from './house';

jest.setTimeout(180_000);

let house: House;
beforeEach(async () => {
  house = await House.open();
});
afterEach(async () => {
  await house.close();
});

const lines = async (file: string): Promise<{ job: string }[]> =>
  (await readFile(path.join(house.project, file), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { job: string });

/** Calls of people that take something away; VMs delete their own grants. */
const removals = (): number =>
  house.cloud.calls.recent().filter(({ operation, principal }) => /^Delete|^Terminate/.test(operation) && principal.includes(':user/'))
    .length;

test('an open job is named and left alone, unless it shall be stopped; then all goes, the ledger is saved, and nothing is left', async () => {
  await house.rawcloud(['run', '--', 'true']);
  const { stdout } = await house.rawcloud(['run', '--detach', '--name', 'long', '--', 'sleep', '600']);
  const job = stdout.toString().trim();
  const before = removals();

  const refused = await house.rawcloud(['destroy', '--yes']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(`${job} (long): sleep 600`);
  expect(refused.stderr).toContain('rawcloud destroy --stop-jobs');
  const shown = await house.rawcloud(['destroy', '--dry-run']);
  expect(shown.code).toBe(0);
  expect(shown.stdout.toString()).toContain(`open job   ${job} (long), `);
  expect(removals()).toBe(before);
  expect(house.alive()).toHaveLength(1);

  const done = await house.json(['destroy', '--yes', '--stop-jobs', '--export', 'book.jsonl']);
  const types = done.map(({ type }) => type.replace('destroy.', ''));
  expect(types.filter((type, i) => type !== types[i - 1])).toEqual([
    'survey',
    'stopping',
    'stopped',
    'exported',
    'emptying',
    'removed',
    'proof',
  ]);
  expect(done.at(-1)!.data).toEqual({ remaining: [], regions: 17 });
  expect((await lines('book.jsonl')).map((line) => line.job)).toContain(job);
  expect(await lines('book.jsonl')).toHaveLength(2);
  await house.allGone();

  const after = await house.rawcloud(['destroy', '--yes']);
  expect(after.code).toBe(120);
  expect(after.stderr).toContain('there is no rawcloud scaffolding');
});

test('broken off, it goes on: what was deleted is no error, and a bucket whose parameter is gone is found', async () => {
  await house.rawcloud(['run', '--', 'true']);
  house.cloud.faults.arm({
    operation: 's3:DeleteBucket',
    count: 4,
    effect: { kind: 'error', status: 403, code: 'AccessDenied', message: 'not yet' },
  });
  const broken = await house.rawcloud(['destroy', '--yes', '--export', 'first.jsonl']);
  expect(broken.code).toBe(120);
  expect(broken.stderr).toContain('s3:DeleteBucket');
  house.cloud.faults.clear();
  const again = await house.rawcloud(['destroy', '--yes', '--export', 'second.jsonl']);
  expect(again.stdout.toString()).toMatch(/Nothing is left/);
  expect(await lines('first.jsonl')).toHaveLength(1);
  expect((await house.rawcloud(['ps'])).code).toBe(120);
});

test('fails before anything is removed when the ledger cannot be saved', async () => {
  await house.write({ 'here.jsonl': 'kept' });
  const before = removals();
  const taken = await house.rawcloud(['destroy', '--yes', '--export', 'here.jsonl']);
  expect(taken.code).toBe(2);
  expect(taken.stderr).toContain('is there already');
  const nowhere = await house.rawcloud(['destroy', '--yes', '--export', 'no/such/directory/book.jsonl']);
  expect(nowhere.code).toBe(2);
  expect(removals()).toBe(before);
});

test('what merely carries the tag is told and left alone', async () => {
  const { CreateSecurityGroupCommand, EC2Client } = await import('@aws-sdk/client-ec2');
  const { url: endpoint, region, credentials } = house.cloud;
  const ec2 = new EC2Client({ endpoint, region, credentials });
  const Tags = [{ Key: 'rawcloud:scaffold', Value: 'default' }];
  const forged = new CreateSecurityGroupCommand({
    GroupName: 'theirs',
    Description: 'not ours',
    TagSpecifications: [{ ResourceType: 'security-group', Tags }],
  });
  const { GroupId } = await ec2.send(forged);
  ec2.destroy();
  const done = await house.rawcloud(['destroy', '--yes', '--json']);
  expect(done.code).toBe(125);
  const proof = JSON.parse(done.stdout.toString().trim().split('\n').at(-1)!) as { data: { remaining: unknown } };
  expect(proof.data.remaining).toEqual([{ kind: 'group', id: GroupId, region: 'us-east-1' }]);
});

test('fails when a region cannot be asked what is left there, names it, and can be started again', async () => {
  const effect = { kind: 'error', status: 403, code: 'UnauthorizedOperation', message: 'closed' } as const;
  house.cloud.faults.arm({ operation: 'ec2:DescribeVolumes', region: 'eu-north-1', count: 9, effect });
  const unproved = await house.rawcloud(['destroy', '--yes', '--export', 'first.jsonl']);
  expect(unproved.code).toBe(120);
  expect(unproved.stderr).toMatch(/could not be asked what is left in them:\n {2}eu-north-1: .*closed/);
  house.cloud.faults.clear();
  expect((await house.rawcloud(['destroy', '--yes', '--export', 'second.jsonl'])).stdout.toString()).toMatch(
    /Nothing is left.* in 17 regions/,
  );
});
