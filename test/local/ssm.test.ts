import {
  DeleteParameterCommand,
  GetParameterCommand,
  GetParametersCommand,
  paginateGetParametersByPath,
  PutParameterCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { amazonLinuxParameter } from '../../lib/contract';
import { failure, IMAGE, startTestCloud, type TestCloud } from './front-fixture';

let cloud: TestCloud;
let ssm: SSMClient;

beforeEach(async () => {
  cloud = await startTestCloud();
  ssm = cloud.ssm();
});

afterEach(async () => {
  await cloud.close();
  expect(cloud.complaints).toEqual([]);
});

const Name = '/rawcloud/default/scaffold';

test('a parameter is put, read, overwritten and deleted', async () => {
  expect(await ssm.send(new PutParameterCommand({ Name, Value: '{"v":1}', Type: 'String' }))).toMatchObject({
    Version: 1,
    Tier: 'Standard',
  });
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
  expect(Parameter).toMatchObject({
    Name,
    Value: '{"v":1}',
    Type: 'String',
    Version: 1,
    DataType: 'text',
    ARN: `arn:aws:ssm:eu-central-1:123456789012:parameter${Name}`,
  });
  expect(Math.abs(Parameter!.LastModifiedDate!.getTime() - Date.now())).toBeLessThan(60_000);
  expect(await failure(ssm.send(new PutParameterCommand({ Name, Value: 'x', Type: 'String' })))).toMatchObject({
    name: 'ParameterAlreadyExists',
    status: 400,
  });
  expect(await ssm.send(new PutParameterCommand({ Name, Value: 'ü', Overwrite: true }))).toMatchObject({ Version: 2 });
  expect((await ssm.send(new GetParameterCommand({ Name }))).Parameter!.Value).toBe('ü');
  await ssm.send(new DeleteParameterCommand({ Name }));
  expect(await failure(ssm.send(new DeleteParameterCommand({ Name })))).toMatchObject({ name: 'ParameterNotFound' });
});

test('fails for a parameter that is not there', async () => {
  expect(await failure(ssm.send(new GetParameterCommand({ Name })))).toMatchObject({ name: 'ParameterNotFound', status: 400 });
});

test('several parameters come together, the missing ones by name', async () => {
  await ssm.send(new PutParameterCommand({ Name: 'a', Value: '1', Type: 'String' }));
  const got = await ssm.send(new GetParametersCommand({ Names: ['a', 'b'] }));
  expect(got).toMatchObject({ Parameters: [{ Name: 'a', Value: '1' }], InvalidParameters: ['b'] });
});

test('parameters below a path come page by page, those further below when asked for', async () => {
  for (const name of ['/a/1', '/a/2', '/a/3', '/a/b/4', '/ab', 'a'])
    await ssm.send(new PutParameterCommand({ Name: name, Value: name, Type: 'String' }));
  const names = async (input: { Path: string; Recursive?: boolean; MaxResults?: number }): Promise<string[][]> => {
    const pages: string[][] = [];
    for await (const { Parameters } of paginateGetParametersByPath({ client: ssm }, input)) pages.push(Parameters!.map((p) => p.Name!));
    return pages;
  };
  expect(await names({ Path: '/a' })).toEqual([['/a/1', '/a/2', '/a/3']]);
  expect(await names({ Path: '/a/', MaxResults: 2 })).toEqual([['/a/1', '/a/2'], ['/a/3']]);
  expect(await names({ Path: '/a', Recursive: true })).toEqual([['/a/1', '/a/2', '/a/3', '/a/b/4']]);
  expect(await names({ Path: '/none' })).toEqual([[]]);
  expect(await failure(names({ Path: 'a' }))).toMatchObject({ name: 'ValidationException', status: 400 });
});

test('public parameters name images, and nobody writes them', async () => {
  expect((await ssm.send(new GetParameterCommand({ Name: amazonLinuxParameter('x86_64') }))).Parameter).toMatchObject({
    Value: IMAGE,
    DataType: 'aws:ec2:image',
  });
  expect(await failure(ssm.send(new GetParameterCommand({ Name: amazonLinuxParameter('arm64') })))).toMatchObject({
    name: 'ParameterNotFound',
  });
  expect(await failure(ssm.send(new PutParameterCommand({ Name: '/aws/service/x', Value: 'x', Type: 'String' })))).toMatchObject({
    name: 'ValidationException',
  });
});

test('parameters outlive the server', async () => {
  await ssm.send(new PutParameterCommand({ Name, Value: 'kept', Type: 'String' }));
  await cloud.restart();
  expect((await cloud.ssm().send(new GetParameterCommand({ Name }))).Parameter!.Value).toBe('kept');
});

test.each(['', 'with space', 'x'.repeat(2000)])('fails for the name %j', async (name) => {
  expect(await failure(ssm.send(new PutParameterCommand({ Name: name, Value: 'x', Type: 'String' })))).toMatchObject({
    name: 'ValidationException',
    status: 400,
  });
});
