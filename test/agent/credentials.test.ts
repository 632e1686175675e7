import { bucketKeys, encodeGrant } from '../../lib/contract';
import type { Clock, Grant } from '../../lib/contract';
import { renewCredentials } from '../../lib/agent/credentials-renewal';
import { CredentialsServer } from '../../lib/agent/credentials-server';
import { createMemoryStore } from '../../lib/store/memory';
import { INTERVALS, PREFIX, SHA, START, VM_USER } from '../fakes/records';

const HOUR = 3_600_000;

function grant(serial: number, key: string, until: number): Grant {
  const credentials = { accessKeyId: key, secretAccessKey: 's', sessionToken: 't', expiresAt: new Date(until).toISOString() };
  return {
    v: 1,
    prefix: PREFIX,
    nodeSha256: SHA,
    agentSha256: SHA,
    serial,
    variables: {},
    credentials,
    intervals: INTERVALS,
    lifetimeUntil: START,
  };
}

async function ask(url: string, authorization: string): Promise<{ status: number; key?: string }> {
  const answer = await fetch(url, { headers: { authorization, connection: 'close' } });
  const body = (await answer.json()) as { AccessKeyId?: string };
  return { status: answer.status, ...(body.AccessKeyId ? { key: body.AccessKeyId } : {}) };
}

describe('the job’s credentials', () => {
  test('are served to who knows the token, and to nobody else', async () => {
    const server = new CredentialsServer(grant(0, 'first', START).credentials!);
    const url = await server.start();
    try {
      expect(await ask(url, server.token)).toEqual({ status: 200, key: 'first' });
      expect(await ask(url, 'guess')).toEqual({ status: 403 });
      expect(await ask(`${url}/other`, server.token)).toEqual({ status: 403 });
    } finally {
      server.close();
    }
  });

  test('are renewed from a newer grant once half of their life is over, and the grant is deleted', async () => {
    let time = START;
    const over = new AbortController();
    const slept: number[] = [];
    const clock: Clock = {
      now: () => time,
      sleep: (ms) => {
        slept.push(ms);
        time += ms;
        if (slept.length > 3) over.abort();
        return Promise.resolve();
      },
    };
    const store = createMemoryStore({ now: () => time });
    const first = grant(0, 'first', START + 2 * HOUR);
    await store.put(bucketKeys.grant(VM_USER), encodeGrant(grant(1, 'second', START + 4 * HOUR)));
    const server = new CredentialsServer(first.credentials!);
    const renewed: number[] = [];
    await renewCredentials({
      store,
      clock,
      vm: VM_USER,
      grant: first,
      server,
      signal: over.signal,
      onRenewed: () => renewed.push(time),
      say: (line) => expect(line).toBe(''),
    });
    expect(slept[0]).toBe(HOUR);
    expect(renewed).toEqual([START + HOUR]);
    expect(server.expiresAt).toBe(START + 4 * HOUR);
    expect(await store.get(bucketKeys.grant(VM_USER))).toBe('absent');
  });

  test('are not replaced by an older grant', async () => {
    const over = new AbortController();
    const clock: Clock = { now: () => START, sleep: () => Promise.resolve(void setImmediate(() => over.abort())) };
    const store = createMemoryStore({ now: () => START });
    const current = grant(5, 'current', START + HOUR);
    await store.put(bucketKeys.grant(VM_USER), encodeGrant(grant(4, 'stale', START + 9 * HOUR)));
    const server = new CredentialsServer(current.credentials!);
    await renewCredentials({
      store,
      clock,
      vm: VM_USER,
      grant: current,
      server,
      signal: over.signal,
      onRenewed: () => expect(true).toBe(false),
      say: () => undefined,
    });
    expect(server.expiresAt).toBe(START + HOUR);
  });
});
