import type { LocalCloud } from '../../lib/local/cloud';
import { withLocalCloud } from '../fakes/local-cloud';
import { signedHeaders } from './sign';

const VERSION = '2010-05-08';

async function iam(
  { url, port, credentials }: LocalCloud,
  fields: Readonly<Record<string, string>>,
): Promise<[status: number, body: string]> {
  const body = new URLSearchParams({ Version: VERSION, ...fields }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const signer = { port, principals: { developer: credentials } };
  const { host: _host, ...sent } = signedHeaders(signer, { method: 'POST', path: '/', service: 'iam', body, headers });
  const response = await fetch(url, { method: 'POST', headers: { ...sent, connection: 'close' }, body });
  return [response.status, await response.text()];
}

const CREATE = { Action: 'CreateServiceLinkedRole', AWSServiceName: 'spot.amazonaws.com' };
const GET = { Action: 'GetRole', RoleName: 'AWSServiceRoleForEC2Spot' };

test('the service-linked role of EC2 Spot is there, and can be made once when it is missing', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    const arn = '<Arn>arn:aws:iam::123456789012:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot</Arn>';
    expect(await iam(cloud, GET)).toEqual([200, expect.stringContaining(arn)]);
    cloud.ec2.spotRole(false);
    expect(await iam(cloud, GET)).toEqual([404, expect.stringContaining('<Code>NoSuchEntity</Code>')]);
    expect(await iam(cloud, CREATE)).toEqual([200, expect.stringContaining(arn)]);
    expect(await iam(cloud, GET)).toEqual([200, expect.stringContaining(arn)]);
    expect(await iam(cloud, CREATE)).toEqual([400, expect.stringContaining('<Code>InvalidInput</Code>')]);
  });
});

test('fails for other services and other actions', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    expect(await iam(cloud, { ...CREATE, AWSServiceName: 'shoes.amazonaws.com' })).toEqual([400, expect.stringContaining('InvalidInput')]);
    expect(await iam(cloud, { Action: 'CreateUser', UserName: 'x' })).toEqual([400, expect.stringContaining('InvalidAction')]);
  });
});
