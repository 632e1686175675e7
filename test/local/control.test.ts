import { createControl, CONTROL_TOKEN_HEADER } from '../../lib/local/control';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';
import { launch, script } from './launching';

const TOKEN = 'token-of-this-test';
const shutdowns: { keepMachines: boolean }[] = [];

function controlled<T>(
  use: (test: TestCloud, ask: (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>) => Promise<T>,
): Promise<T> {
  const control = (cloud: TestCloud['cloud']) => createControl(cloud, { token: TOKEN, onShutdown: (wish) => shutdowns.push(wish) });
  return withLocalCloud({ control }, (test) =>
    use(test, async (method, path, body) => {
      const response = await fetch(`${test.cloud.url}/_local/${path}`, {
        method,
        headers: { [CONTROL_TOKEN_HEADER]: TOKEN, connection: 'close' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    }),
  );
}

test('fails without the token, and with a wrong one', async () => {
  await controlled(async ({ cloud }) => {
    const statusWith = async (headers: Record<string, string>) =>
      (await fetch(`${cloud.url}/_local/status`, { headers: { ...headers, connection: 'close' } })).status;
    expect(await statusWith({})).toBe(403);
    expect(await statusWith({ [CONTROL_TOKEN_HEADER]: 'guess' })).toBe(403);
  });
});

test('status names the machines; kill, power off and reboot reach them', async () => {
  await controlled(async (test, ask) => {
    const id = await launch(test, { UserData: script('echo up >up; sleep 1000') });
    const other = await launch(test, { UserData: script('echo up >up; sleep 1000'), InstanceInitiatedShutdownBehavior: 'terminate' });
    await Promise.all([test.line(id, 'up'), test.line(other, 'up')]);
    expect(await ask('POST', `instances/${id}/reboot`)).toEqual({ status: 200, body: {} });
    await ask('POST', `instances/${id}/kill`);
    expect(await ask('GET', 'status')).toMatchObject({
      status: 200,
      body: {
        pid: process.pid,
        url: test.cloud.url,
        machines: [
          { id, state: 'terminated', on: false },
          { id: other, state: 'running', on: true },
        ],
      },
    });
    await ask('POST', `instances/${other}/poweroff`);
    expect(await ask('GET', 'status')).toMatchObject({ body: { machines: [{}, { id: other, state: 'terminated' }] } });
  });
});

test('faults, shortages and dead instances are armed and cleared', async () => {
  await controlled(async (test, ask) => {
    const fault = { operation: 'RunInstances', effect: { kind: 'error', status: 503, code: 'RequestLimitExceeded' } };
    await ask('POST', 'faults', fault);
    expect(await ask('GET', 'faults')).toEqual({ status: 200, body: [fault] });
    await expect(launch(test)).rejects.toMatchObject({ name: 'RequestLimitExceeded' });
    await ask('POST', 'faults', fault);
    await ask('DELETE', 'faults');
    await ask('POST', 'no-capacity', [{ vmType: 'm7i.large' }]);
    await expect(launch(test)).rejects.toMatchObject({ name: 'InsufficientInstanceCapacity' });
    await ask('DELETE', 'no-capacity');
    await ask('POST', 'dead-instances', { count: 1 });
    await test.cloud.ec2.whenState(await launch(test), 'terminated');
    expect(await ask('GET', 'calls')).toMatchObject({
      body: [{ code: 'RequestLimitExceeded' }, { code: 'InsufficientInstanceCapacity' }, { status: 200 }],
    });
  });
});

test('a wish to end is passed on, and answered with the machines that are on', async () => {
  await controlled(async (test, ask) => {
    const id = await launch(test, { UserData: script('echo up >up; sleep 1000') });
    await test.line(id, 'up');
    expect(await ask('POST', 'shutdown', { keepMachines: true })).toEqual({ status: 200, body: { machines: [id] } });
    expect(shutdowns).toEqual([{ keepMachines: true }]);
  });
});

test.each([
  ['GET', 'nothing', undefined, 404, /there is no GET/],
  ['POST', 'faults', { operation: 'x' }, 400, /effect/],
  ['POST', 'faults', { operation: 'x', effect: { kind: 'lost-reply' }, colour: 'red' }, 400, /colour/],
  ['POST', 'instances/i-0123456789abcdef0/kill', undefined, 400, /knows no instance 'i-0123456789abcdef0'/],
])('fails for %s %s with %j', async (method, path, body, status, message) => {
  await controlled(async (_, ask) => {
    const answer = await ask(method, path, body);
    expect(answer.status).toBe(status);
    expect((answer.body as { error: string }).error).toMatch(message);
  });
});
