import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { openAws } from '../../lib/aws/clients';
import { createDeploymentLook } from '../../lib/aws/deployment-look';

const ROLE = 'arn:aws:iam::123456789012:role/cdk-hnb659fds-deploy-role-123456789012-eu-west-1';
const DENIED = `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/dev is not authorized to perform: sts:AssumeRole on resource: ${ROLE}</Message></Error></ErrorResponse>`;

/** An STS that answers every call so. @returns what it was asked, and how trying the role ended */
async function tried(status: number, answer: string): Promise<{ asked: URLSearchParams; ended: unknown }> {
  let asked = new URLSearchParams();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      asked = new URLSearchParams(body);
      response.writeHead(status, { 'content-type': 'text/xml', connection: 'close' }).end(answer);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'AKIAEXAMPLEEXAMPLE12', secretAccessKey: 'none' };
  const aws = await openAws({ env: {}, region: 'eu-west-1', endpoint, credentials });
  try {
    const ended = await createDeploymentLook(aws)
      .tryRole(ROLE)
      .catch((error: unknown) => error);
    return { asked, ended };
  } finally {
    aws.close();
    await new Promise((closed) => server.close(closed));
  }
}

test('a role that may be taken on is, for as short as STS allows', async () => {
  const { asked, ended } = await tried(200, '<AssumeRoleResponse/>');
  expect(ended).toBeUndefined();
  expect(Object.fromEntries(asked)).toMatchObject({ Action: 'AssumeRole', RoleArn: ROLE, DurationSeconds: '900' });
});

test('fails for one that may not, with the permission that lacks', async () => {
  const { ended } = await tried(403, DENIED);
  expect(ended).toMatchObject({ code: 'E_PERMISSION', data: { action: 'sts:AssumeRole' } });
});
