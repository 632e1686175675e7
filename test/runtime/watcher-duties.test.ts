import { bucketKeys, ControlSchema, decodeJson, encodeJson, GrantSchema, jobKeys, SealedSchema } from '../../lib/contract';
import type { Credentials, Grant, JobView } from '../../lib/contract';
import type { ClientDeps } from '../../lib/runtime/deps';
import { Driver } from '../../lib/runtime/drive/driver';
import { WatcherDuties } from '../../lib/runtime/watcher-duties';
import { launched, spec } from '../fakes/records';
import { JOB, PREFIX, START, World } from '../fakes/world';
import { VM_USER } from '../fakes/records';

const HOUR = 3_600_000;

const credentials = (name: string, until: number): Credentials => ({
  accessKeyId: name,
  secretAccessKey: 's',
  sessionToken: 't',
  expiresAt: new Date(until).toISOString(),
});

/** A job that runs with credentials of two hours, and a developer whose own session can be renewed. */
async function running(): Promise<{ world: World; deps: ClientDeps; look: () => Promise<JobView> }> {
  const world = new World();
  const identity = {
    kind: 'forwarded' as const,
    arn: 'arn:aws:iam::123456789012:user/me',
    expiresAt: new Date(START + 2 * HOUR).toISOString(),
  };
  await world.store.put(jobKeys.spec(PREFIX), encodeJson(spec({ identity })));
  await world.store.put(jobKeys.launch(PREFIX, 0), encodeJson(launched()));
  const sealed = { v: 1 as const, prefix: PREFIX, variables: {}, credentials: credentials('first', START + 2 * HOUR) };
  await world.store.put(bucketKeys.sealed(JOB), encodeJson(sealed));
  const forward = () => Promise.resolve({ arn: identity.arn, credentials: credentials('renewed', world.time + 2 * HOUR) });
  const deps = { ...world.deps('me'), forward } as Partial<ClientDeps> as ClientDeps;
  return { world, deps, look: () => new Driver(deps, PREFIX).look(false) };
}

async function grantOf(world: World): Promise<Grant | undefined> {
  const found = await world.store.get(bucketKeys.grant(VM_USER));
  return typeof found === 'string' ? undefined : decodeJson(GrantSchema, found.body, 'grant');
}

test('a watcher renews the job’s credentials once half of their life is over, and not before', async () => {
  const { world, deps, look } = await running();
  const duties = new WatcherDuties(deps);
  world.time += 0.9 * HOUR;
  await duties.perform(await look());
  expect(await grantOf(world)).toBeUndefined();
  world.time += 0.2 * HOUR;
  await duties.perform(await look());
  expect(await grantOf(world)).toMatchObject({ credentials: { accessKeyId: 'renewed' } });
  const sealed = await world.store.get(bucketKeys.sealed(JOB));
  if (typeof sealed === 'string') throw new Error('the sealed object is gone');
  expect(decodeJson(SealedSchema, sealed.body, 'sealed').credentials?.accessKeyId).toBe('renewed');
});

test('whoever watches next renews with a higher serial, so that the agent takes it', async () => {
  const { world, deps, look } = await running();
  const serials: number[] = [];
  for (let watcher = 0; watcher < 3; watcher++) {
    const duties = new WatcherDuties(deps);
    world.time += 1.5 * HOUR;
    await duties.perform(await look());
    world.time += 1.5 * HOUR;
    await duties.perform(await look());
    serials.push((await grantOf(world))!.serial);
  }
  expect(serials[0]).toBeGreaterThan(0);
  expect(serials).toEqual([...new Set(serials)].sort((a, b) => a - b));
});

test('says that it watches, and again before that is over', async () => {
  const { world, deps, look } = await running();
  const duties = new WatcherDuties(deps);
  const told: (number | undefined)[] = [];
  for (let minute = 0; minute < 10; minute++) {
    const view = await look();
    await duties.perform(view);
    const found = await world.store.get(jobKeys.control(PREFIX));
    if (typeof found === 'string') throw new Error('nobody watches');
    told.push(decodeJson(ControlSchema, found.body, 'control').watchUntil);
    expect(told.at(-1)).toBeGreaterThan(view.now);
    world.time += 60_000;
  }
  expect(new Set(told).size).toBeGreaterThan(1);
});
