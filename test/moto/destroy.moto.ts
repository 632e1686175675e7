import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DeleteBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { AwsContext } from '../../lib/aws/clients';
import { stackOf } from '../../lib/aws/cloudformation';
import { createDemolition } from '../../lib/aws/demolition';
import { bucketKeys, encodeJson, isScaffoldStack, ROOT } from '../../lib/contract';
import type { Scaffold } from '../../lib/contract';
import { openDestruction } from '../../lib/runtime';
import type { DestroyEvent, DestroyRequest } from '../../lib/runtime';
import { awsEnv, CdkApp } from './cdk';
import { openMoto, readScaffold } from './moto';

jest.setTimeout(120_000);

let aws: AwsContext;
let directory: string;

beforeAll(async () => {
  aws = await openMoto();
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-destroy-'));
});

afterAll(async () => {
  aws.close();
  await rm(directory, { recursive: true, force: true });
});

async function destroyed(name: string, request: Partial<DestroyRequest> = {}): Promise<DestroyEvent[]> {
  const env = { ...awsEnv(), HOME: directory };
  const destruction = await openDestruction({ env, cwd: directory, scaffold: name });
  const events: DestroyEvent[] = [];
  try {
    const asked = { exportTo: path.join(directory, `${name}.jsonl`), confirm: async () => true, ...request };
    for await (const event of destruction.destroy(asked)) events.push(event);
  } finally {
    await destruction.close();
  }
  return events;
}

async function fill({ bucket }: Scaffold): Promise<void> {
  const s3 = await aws.s3();
  const ledger = bucketKeys.ledger(Date.parse('2026-11-01T00:00:00Z'), 'j1');
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: ledger, Body: encodeJson({ v: 1, job: 'j1' }) }));
  for (const n of Array.from({ length: 1100 }, (_, i) => i)) {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${ROOT}files/${n}`, Body: 'x' }));
  }
}

test('fails for a stack in which somebody else has something, by its name, and removes nothing', async () => {
  const NAME = 'team-shared';
  const app = await CdkApp.synthesize(NAME);
  await app.deploy({ Theirs: { Type: 'AWS::SQS::Queue', Properties: {} } });
  const scaffold = await readScaffold(aws, NAME);
  await expect(destroyed(NAME)).rejects.toThrow(`a part of the stack RawCloud-${NAME}, which also holds Theirs (AWS::SQS::Queue)`);
  expect(await readScaffold(aws, NAME)).toEqual(scaffold);
  await app.destroy();
  await (await aws.s3()).send(new DeleteBucketCommand({ Bucket: scaffold.bucket }));
  await app.close();
});

test('the stack, all versions of all objects, and the bucket that the stack leaves: all goes, and the proof says so', async () => {
  const NAME = 'team-gone';
  const app = await CdkApp.synthesize(NAME);
  await app.deploy();
  const scaffold = await readScaffold(aws, NAME);
  const s3 = await aws.s3();
  await fill(scaffold);
  const VersioningConfiguration = { Status: 'Enabled' as const };
  await s3.send(new PutBucketVersioningCommand({ Bucket: scaffold.bucket, VersioningConfiguration }));
  const marks = { Bucket: scaffold.bucket, Key: bucketKeys.reaperMarks };
  for (const Body of ['1', '2']) await s3.send(new PutObjectCommand({ ...marks, Body }));
  const stack = await stackOf(aws, scaffold.launchTemplateId, `RawCloud-${NAME}`);
  expect(stack).toMatchObject({ name: `RawCloud-${NAME}` });
  expect(isScaffoldStack(stack!)).toBe(true);

  const events = await destroyed(NAME);
  expect(events[0]).toMatchObject({ survey: { stack: `RawCloud-${NAME}`, ownBucket: true, jobs: [] } });
  expect(events.filter(({ type }) => type === 'emptying')).toMatchObject([{ objects: 1000 }, { objects: 1103 }]);
  expect(events).toContainEqual({ type: 'removed', what: `stack RawCloud-${NAME}` });
  expect(events).toContainEqual({ type: 'removed', what: `bucket ${scaffold.bucket}` });
  expect(events.at(-1)).toEqual({ type: 'proof', remaining: [], regions: expect.any(Number) as number });
  expect((events.at(-1) as { regions: number }).regions).toBeGreaterThan(10);
  expect(await readFile(path.join(directory, `${NAME}.jsonl`), 'utf8')).toBe('{"v":1,"job":"j1"}\n');
  const demolition = createDemolition(aws, scaffold.account);
  expect(await demolition.stackEnd(stack!.id)).toEqual({ state: 'gone' });
  await expect(destroyed(NAME)).rejects.toMatchObject({ code: 'E_NO_SCAFFOLDING' });
  await app.close();
});
