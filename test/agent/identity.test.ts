import { bucketKeys, encodeGrant } from '../../lib/contract';
import type { Credentials, Store } from '../../lib/contract';
import { Identity } from '../../lib/agent/identity';
import { createMemoryStore } from '../../lib/store/memory';
import { INTERVALS, PREFIX, SHA, VM_USER } from '../fakes/records';
import { FakeClock } from './fake-clock';

const HOUR_MS = 3_600_000;
let clock: FakeClock;
let store: Store;
let identity: Identity;
let renewed: (number | undefined)[];

function credentials(name: string, lifeMs: number): Credentials {
  return { accessKeyId: name, secretAccessKey: 's', sessionToken: 't', expiresAt: new Date(clock.now() + lifeMs).toISOString() };
}

async function renewal(serial: number, held: Credentials): Promise<void> {
  const grant = { v: 1 as const, prefix: PREFIX, nodeSha256: SHA, agentSha256: SHA, serial, variables: {}, credentials: held };
  await store.put(bucketKeys.grant(VM_USER), encodeGrant({ ...grant, intervals: INTERVALS, lifetimeUntil: 0 }));
}

async function served({ url, token }: { url: string; token: string }): Promise<unknown> {
  return await (await fetch(url, { headers: { authorization: token, connection: 'close' } })).json();
}

beforeEach(() => {
  clock = new FakeClock();
  renewed = [];
  store = createMemoryStore({ now: () => clock.now() });
  identity = new Identity({
    store,
    clock,
    vm: VM_USER,
    credentials: credentials('first', HOUR_MS),
    serial: 0,
    onRenewed: (until) => renewed.push(until),
    onTrouble: (error) => {
      throw error;
    },
  });
});

afterEach(() => identity.close());

test('does not ask the bucket before half of the life is over', async () => {
  await identity.start();
  await clock.advance(HOUR_MS / 2 - 1);
  expect(store.requests.get).toBe(0);
  await clock.advance(1);
  expect(store.requests.get).toBe(1);
});

test('serves what a later grant brings, and deletes that grant', async () => {
  const place = await identity.start();
  await renewal(1, credentials('second', 2 * HOUR_MS));
  expect(await served(place)).toMatchObject({ AccessKeyId: 'first' });
  await clock.advance(HOUR_MS / 2);
  expect(await served(place)).toMatchObject({ AccessKeyId: 'second' });
  expect(renewed).toEqual([identity.until]);
  expect(await store.get(bucketKeys.grant(VM_USER))).toBe('absent');
});

test('a grant that is not newer changes nothing', async () => {
  const place = await identity.start();
  await renewal(0, credentials('old', 2 * HOUR_MS));
  await clock.advance(HOUR_MS / 2);
  expect(await served(place)).toMatchObject({ AccessKeyId: 'first' });
});
