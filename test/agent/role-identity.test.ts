import type { Credentials } from '../../lib/contract';
import { RoleIdentity } from '../../lib/agent/role-identity';
import { TestVm } from './vm';

const ROLE = 'arn:aws:iam::123456789012:role/nightly';

function credentials(name: string): Credentials {
  return { accessKeyId: name, secretAccessKey: 's', sessionToken: 't', expiresAt: '2026-11-23T18:00:00Z' };
}

/** A command that asks as an SDK does. */
const ASK = `
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN: token } = process.env;
  fetch(url, { headers: { authorization: token } }).then((r) => r.json()).then((c) => console.log(JSON.stringify(c)));`;

describe('a role as identity', () => {
  let identity: RoleIdentity;
  let troubles: unknown[];
  let answers: (Credentials | Error)[];

  beforeEach(() => {
    troubles = [];
    answers = [];
    const roleCredentials = (): Promise<Credentials> => {
      const next = answers.shift() ?? new Error('asked once too often');
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    };
    identity = new RoleIdentity({ roleCredentials, onTrouble: (error) => troubles.push(error) });
  });

  afterEach(() => identity.close());

  async function ask(authorization?: string): Promise<{ status: number; body: unknown }> {
    const { url, token } = await identity.start();
    const response = await fetch(url, { headers: { authorization: authorization ?? token, connection: 'close' } });
    return { status: response.status, body: await response.json() };
  }

  test('asks whenever it is asked, so that nothing goes stale', async () => {
    answers = [credentials('first'), credentials('second')];
    const { url, token } = await identity.start();
    const get = async (): Promise<unknown> => (await fetch(url, { headers: { authorization: token, connection: 'close' } })).json();
    expect(await get()).toEqual({ AccessKeyId: 'first', SecretAccessKey: 's', Token: 't', Expiration: '2026-11-23T18:00:00Z' });
    expect(await get()).toMatchObject({ AccessKeyId: 'second' });
  });

  test('has no end that somebody would have to watch', () => {
    expect(identity.until).toBeUndefined();
  });

  test('asks a second time when the metadata service fails once', async () => {
    answers = [new Error('token over'), credentials('later')];
    expect(await ask()).toMatchObject({ status: 200, body: { AccessKeyId: 'later' } });
    expect(troubles).toEqual([]);
  });

  test('fails with 500, and says why in the log alone, when the metadata service has none', async () => {
    answers = [new Error('no'), new Error('still no')];
    expect(await ask()).toEqual({ status: 500, body: { Code: 'InternalError', Message: 'there are no credentials just now' } });
    expect(troubles).toEqual([new Error('still no')]);
  });

  test('fails for whoever does not know the token', async () => {
    expect(await ask('guessed')).toMatchObject({ status: 403 });
    expect(troubles).toEqual([]);
  });
});

test('a job whose identity is a role gets the credentials of the VM’s role, and no end of them is told', async () => {
  const vm = await TestVm.run({
    argv: [process.execPath, '-e', ASK],
    spec: { identity: { kind: 'role', arn: ROLE } },
    roleCredentials: async () => credentials('of the role'),
  });
  expect(JSON.parse(await vm.text())).toMatchObject({ AccessKeyId: 'of the role' });
  expect(await vm.beat()).not.toHaveProperty('credentialsUntil');
  expect(await vm.text('system')).not.toMatch(/credentials of the role/);
  await vm.remove();
});

test('a job of another identity never sees the role', async () => {
  const vm = await TestVm.run({
    argv: [process.execPath, '-e', 'console.log(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI ?? "none")'],
    roleCredentials: async () => credentials('of the role'),
  });
  expect(await vm.text()).toBe('none\n');
  await vm.remove();
});
