import {
  CreateTagsCommand,
  DescribeInstancesCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';
import { launch, script } from './launching';

const SLEEPS = { UserData: script('sleep 1000') };

async function states({ ec2 }: TestCloud): Promise<(string | undefined)[]> {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
  return Reservations.flatMap((r) => r.Instances ?? []).map((i) => i.State?.Name);
}

test('a new instance is not found, and absent, for so many calls; its token knows better', async () => {
  await withLocalCloud({ bootMs: 60_000 }, async (test) => {
    test.cloud.ec2.lag({ calls: 4 });
    const id = await launch(test, { ClientToken: 'token' });
    await expect(test.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }))).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
    });
    expect(await states(test)).toEqual([]);
    expect((await test.ec2.send(new DescribeVolumesCommand({}))).Volumes).toEqual([]);
    expect(await launch(test, { ClientToken: 'token' })).toBe(id);
    expect(await states(test)).toEqual(['pending']);
    await expect(test.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }))).resolves.toBeDefined();
  });
});

test('tags and states lag, too, and nothing that was changed meanwhile is undone', async () => {
  await withLocalCloud({}, async (test) => {
    const { ec2, cloud } = test;
    const id = await launch(test, SLEEPS);
    await cloud.ec2.whenState(id, 'running');
    cloud.ec2.lag({ calls: 2 });
    const tag = (Key: string) => ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key, Value: '' }] }));
    const tags = async () => (await ec2.send(new DescribeTagsCommand({}))).Tags!.filter((t) => t.ResourceId === id).map((t) => t.Key);
    await tag('a');
    await tag('b');
    expect(await tags()).toEqual([]);
    expect(await tags()).toEqual(['a']);
    expect(await tags()).toEqual(['a', 'b']);
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await cloud.ec2.whenState(id, 'terminated');
    expect(await states(test)).toEqual(['running']);
    cloud.ec2.clearLag();
    expect(await states(test)).toEqual(['terminated']);
    expect(cloud.ec2.instances()[0]!.tags).toEqual({ a: '', b: '' });
  });
});

test('changes show after some time', async () => {
  await withLocalCloud({ bootMs: 60_000, lag: { ms: 150 } }, async (test) => {
    const before = Date.now();
    await launch(test);
    const after = Date.now();
    const first = await states(test);
    // A slow machine may be past it already.
    if (Date.now() - before < 150) expect(first).toEqual([]);
    while (Date.now() - after < 200) await states(test);
    expect(await states(test)).toEqual(['pending']);
  });
});
