import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readLaunchSpec } from '../../lib/local/ec2/launch-spec';
import { planLaunch } from '../../lib/local/ec2/plan-launch';
import { forgetOld, openEc2State, shownInstances } from '../../lib/local/ec2/state';
import type { Ec2State } from '../../lib/local/ec2/state';
import { IMAGES } from './launching';

const HOUR = 3_600_000;
let now: number;
let directory: string;

beforeEach(async () => {
  now = Date.UTC(2026, 10, 23, 12);
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-ec2-'));
});

afterEach(() => rm(directory, { recursive: true }));

function open(): Promise<Ec2State> {
  return openEc2State({ directory, account: '123456789012', region: 'us-east-1', now: () => now });
}

test('what is terminated is shown for an hour, and its token remembered for a day', async () => {
  const state = await open();
  const spec = readLaunchSpec({ ImageId: IMAGES.x86_64, InstanceType: 'm7i.large' });
  const [planned] = planLaunch(state, spec, { min: 1, max: 1, launch: { token: 'token', scope: 'us-east-1', fingerprint: '' } });
  await state.instances.put({ ...planned!, state: 'terminated', terminatedAt: now });
  now += 0.9 * HOUR;
  expect(shownInstances(state)).toHaveLength(1);
  now += 0.2 * HOUR;
  expect(shownInstances(state)).toEqual([]);
  await forgetOld(state);
  expect((await open()).instances.get(planned!.id)?.launch.token).toBe('token');
  now += 24 * HOUR;
  await forgetOld(state);
  expect((await open()).instances.all()).toEqual([]);
});

test('records are read back as they were written, whatever the order of writes', async () => {
  const state = await open();
  const group = state.groups.get(state.network.defaultGroupId)!;
  const writes = Array.from({ length: 20 }, (_, i) => state.groups.put({ ...group, description: `version ${i}` }));
  await Promise.all(writes);
  expect((await open()).groups.all()).toEqual([{ ...group, description: 'version 19' }]);
  expect((await readdir(path.join(directory, 'security-groups'))).filter((name) => !name.endsWith('.json'))).toEqual([]);
});

test('a launch of which only a part was written is dropped; one that has begun to boot is not', async () => {
  const state = await open();
  const spec = readLaunchSpec({ ImageId: IMAGES.x86_64, InstanceType: 'm7i.large' });
  const plan = (token: string) => planLaunch(state, spec, { min: 3, max: 3, launch: { token, scope: 'us-east-1', fingerprint: '' } });
  const [whole, partial, begun] = [plan('whole'), plan('partial'), plan('begun')];
  const booted = { ...begun[0]!, imds: { ...begun[0]!.imds, port: 4711 } };
  for (const record of [...whole, ...partial.slice(0, 2), booted, begun[1]!]) await state.instances.put(record);
  const tokens = (await open()).instances.all().map((i) => i.launch.token);
  expect(tokens.sort()).toEqual(['begun', 'begun', 'whole', 'whole', 'whole']);
  expect((await readdir(path.join(directory, 'instances'))).length).toBe(5);
});
