import { bucketKeys, encodeJson, OutcomeSchema, decodeJson, jobKeys, TAGS } from '../../lib/contract';
import type { Instance } from '../../lib/contract';
import { Driver } from '../../lib/runtime/drive/driver';
import { checkRoom } from '../../lib/runtime/launch/room';
import { instance, PREFIX, START } from '../fakes/records';
import { driveToEnd, World } from '../fakes/world';

let world: World;
beforeEach(() => {
  world = new World();
});

const depsWith = (vms: number) => {
  const deps = world.deps();
  return { ...deps, scaffold: { ...deps.scaffold, limits: { vms } } };
};

function on(id: string, change: Partial<Instance> = {}): void {
  world.instances.set(id, { ...instance({ id, clientToken: `token of ${id}`, tags: { [TAGS.job]: `job-${id}` }, ...change }), shownAt: 0 });
}

describe('a scaffolding that allows some VMs at once', () => {
  test('has room until they are on; what has ended or is ending does not count', async () => {
    on('i-1');
    on('i-2', { state: 'terminated' });
    on('i-3', { state: 'shutting-down' });
    await expect(checkRoom(depsWith(2))).resolves.toBeUndefined();
    on('i-4', { state: 'pending' });
    await expect(checkRoom(depsWith(2))).rejects.toMatchObject({ code: 'E_NOT_ALLOWED' });
  });

  test('fails the next with what is on, since when and whose it is', async () => {
    const active = { v: 1, job: 'job-i-1', prefix: 'p', name: 'train', owner: 'arn:aws:iam::1:user/ada', createdAt: '' };
    await world.store.put(bucketKeys.active('job-i-1'), encodeJson(active));
    for (const [i, id] of ['i-1', 'i-2', 'i-3', 'i-4', 'i-5', 'i-6', 'i-7'].entries()) on(id, { launchedAt: START + i * 1000 });
    await expect(checkRoom(depsWith(7))).rejects.toMatchObject({
      message: expect.stringMatching(
        /allows 7 VMs at once, and 7 are on: m7i\.large since 2026-11-01T12:00:00Z for job job-i-1 \(train\) of arn:aws:iam::1:user\/ada; .*job-i-5 and 2 more$/,
      ) as string,
      remedy: expect.stringMatching(/rawcloud stop JOB.*maxVms/) as string,
    });
  });

  test('asks nothing of EC2 when it allows any number', async () => {
    const deps = { ...world.deps(), compute: { ...world.compute, describe: () => Promise.reject(new Error('asked')) } };
    await expect(checkRoom(deps)).resolves.toBeUndefined();
  });

  test('refuses a job that is on record already, and the job comes to its end with the reason', async () => {
    on('i-1');
    const deps = depsWith(1);
    await world.client(deps);
    await driveToEnd(world, deps);
    expect(world.launches).toBe(0);
    const found = await world.store.get(jobKeys.outcome(PREFIX));
    const outcome = typeof found === 'string' ? undefined : decodeJson(OutcomeSchema, found.body, 'outcome');
    expect(outcome).toMatchObject({ outcome: 'refused', reason: 'quota', exitCode: 120 });
    expect(outcome!.message).toMatch(/allows 1 VM at once, and 1 is on: .*job-i-1/);
  });

  test('does not count the VM of the very launch, whose reply was lost', async () => {
    const deps = depsWith(1);
    const lost = {
      ...deps,
      compute: {
        ...world.compute,
        launch: async (request: string) => {
          await world.compute.launch(request);
          throw new Error('the reply is lost');
        },
      },
    };
    await expect(world.client(lost)).rejects.toThrow('the reply is lost');
    await driveToEnd(world, deps);
    expect(world.launches).toBe(1);
    expect((await new Driver(deps, PREFIX).look(true)).objects.outcome?.value.outcome).toBe('ok');
  });
});
