import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { openAws } from '../../lib/aws/clients';
import { createEventBus } from '../../lib/aws/event-bus';
import { leftoversFound, reaperStatements } from '../../lib/contract';
import type { AccessKey, SessionKeys } from '../../lib/local/principals';
import { ACCOUNT, REGION, startTestCloud } from './front-fixture';
import type { TestCloud } from './front-fixture';
import { jsonCall } from './json-call';

let cloud: TestCloud;
beforeEach(async () => {
  cloud = await startTestCloud();
});
afterEach(async () => {
  await cloud.close();
  expect(cloud.complaints).toEqual([]);
});

const EVENT = leftoversFound('default', 0, { marked: [], removed: [], cleared: [], unproved: [{ what: 'volumes', error: 'throttled' }] })!;

async function put(scaffold: string, given: AccessKey | SessionKeys, endpoint = cloud.url): Promise<void> {
  const { accessKeyId, secretAccessKey } = given;
  const keys = { accessKeyId, secretAccessKey, ...('sessionToken' in given ? { sessionToken: given.sessionToken } : {}) };
  const aws = await openAws({ env: {}, region: REGION, endpoint, credentials: keys });
  try {
    await createEventBus(aws, { name: scaffold, region: REGION }).put(EVENT);
  } finally {
    aws.close();
  }
}

/** A VM is the only principal of the local cloud that is not allowed everything. */
function functionOf(scaffold: string): SessionKeys {
  const facts = { partition: 'arn:aws', account: ACCOUNT, region: REGION, scaffold, bucketArn: '', securityGroupId: 'sg-1' };
  const tell = reaperStatements({ ...facts, vmRoleArns: [], launchTemplateArns: [] }).filter(({ Sid }) => Sid === 'Tell');
  const { id } = cloud.roles.put({ name: `reaper-${scaffold}`, statements: tell });
  return cloud.principals.issueForVm('i-0aaaaaaaaaaaaaaaa', { name: `reaper-${scaffold}`, id });
}

test('takes an event of the reaper’s, and shows it', async () => {
  await put('default', functionOf('default'));
  expect(cloud.bus.events()).toMatchObject([
    {
      source: 'rawcloud.default',
      detailType: 'Leftovers Found',
      detail: { v: 1, scaffold: 'default', at: '1970-01-01T00:00:00.000Z', counts: { unproved: 1 } },
      by: expect.stringMatching(/assumed-role\/reaper-default\//) as string,
    },
  ]);
});

test('fails for a reaper that would speak for another scaffolding, and for VMs', async () => {
  await expect(put('team-b', functionOf('team-a'))).rejects.toMatchObject({
    code: 'E_PERMISSION',
    message: expect.stringMatching(/events:PutEvents/) as string,
  });
  const { id } = cloud.roles.put({ name: 'vm', statements: [] });
  await expect(put('default', cloud.principals.issueForVm('i-0aaaaaaaaaaaaaaaa', { name: 'vm', id }))).rejects.toMatchObject({
    code: 'E_PERMISSION',
  });
  expect(cloud.bus.events()).toEqual([]);
});

test('tells which entries it did not take, and takes the others', async () => {
  const as = { url: cloud.url, port: cloud.port, credentials: cloud.principals.developer };
  const entry = (Source: string, Detail: string): object => ({ Source, DetailType: 'T', Detail });
  const Entries = [entry('app', '{'), entry('app', '{"a":1}'), entry('aws.ec2', '{}'), entry('app', '[]')];
  expect(await jsonCall(as, { service: 'events', target: 'AWSEvents.PutEvents' }, { Entries })).toEqual({
    FailedEntryCount: 3,
    Entries: [
      { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' },
      { EventId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string },
      { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' },
      { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' },
    ],
  });
  expect(cloud.bus.events()).toMatchObject([{ source: 'app', detail: { a: 1 } }]);
  await expect(jsonCall(as, { service: 'events', target: 'AWSEvents.PutEvents' }, { Entries: [] })).rejects.toThrow(/ValidationException/);
});

test('fails when the bus answers that it did not take the event, which is no error of HTTP', async () => {
  const answer = { FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalFailure', ErrorMessage: 'try later' }] };
  const server = createServer((_request, response) => response.end(JSON.stringify(answer))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sent = put('default', cloud.principals.developer, url);
    await expect(sent).rejects.toMatchObject({
      retryable: true,
      message: expect.stringMatching(/'Leftovers Found': InternalFailure: try later/) as string,
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
