import {
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeVolumesCommand,
  EC2ServiceException,
  paginateDescribeInstances,
  paginateDescribeInstanceTypes,
  paginateDescribeTags,
  paginateDescribeVolumes,
} from '@aws-sdk/client-ec2';
import { INSTANCE_TYPES } from '../../lib/local/ec2/instance-types';
import { withLocalCloud } from '../fakes/local-cloud';
import { launch, run } from './launching';

test('pages show each instance once, whatever is launched and ends between them', async () => {
  await withLocalCloud({ bootMs: 60_000 }, async (test) => {
    await test.ec2.send(run({ MinCount: 12, MaxCount: 12 }));
    const before = test.cloud.ec2.instances().map((i) => i.id);
    const seen: string[] = [];
    for await (const page of paginateDescribeInstances({ client: test.ec2, pageSize: 5 }, {})) {
      seen.push(...(page.Reservations ?? []).flatMap((r) => r.Instances ?? []).map((i) => i.InstanceId!));
      await launch(test);
      await test.cloud.ec2.kill(before[0]!);
    }
    expect(seen.slice(0, 12)).toEqual(before);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

test('volumes, tags and types come in pages, too; types never more than a hundred at once', async () => {
  await withLocalCloud({ bootMs: 60_000 }, async (test) => {
    const Tags = Array.from({ length: 7 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    await test.ec2.send(run({ MinCount: 7, MaxCount: 7, TagSpecifications: [{ ResourceType: 'volume', Tags }] }));
    const sizes: (number | undefined)[] = [];
    for await (const page of paginateDescribeVolumes({ client: test.ec2, pageSize: 5 }, {})) sizes.push(page.Volumes?.length);
    expect(sizes).toEqual([5, 2]);
    let tags = 0;
    for await (const page of paginateDescribeTags(
      { client: test.ec2, pageSize: 6 },
      { Filters: [{ Name: 'resource-type', Values: ['volume'] }] },
    )) {
      expect(page.Tags!.length).toBeLessThanOrEqual(6);
      tags += page.Tags!.length;
    }
    expect(tags).toBe(49);
    expect((await test.ec2.send(new DescribeInstanceTypesCommand({}))).InstanceTypes).toHaveLength(100);
    const types = new Set<string>();
    for await (const page of paginateDescribeInstanceTypes({ client: test.ec2 }, {}))
      for (const t of page.InstanceTypes!) types.add(t.InstanceType!);
    expect([...types].sort()).toEqual([...INSTANCE_TYPES.keys()].sort());
  });
});

test.each<[what: string, MaxResults: number, message: string]>([
  ['too few', 4, 'Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than 5.'],
  ['too many', 1001, 'Value ( 1001 ) for parameter maxResults is invalid. Expecting a value less than 1000.'],
])('fails for %s results a page', async (_, MaxResults, message) => {
  await withLocalCloud({}, async ({ ec2 }) => {
    await expect(ec2.send(new DescribeInstancesCommand({ MaxResults }))).rejects.toMatchObject({ name: 'InvalidParameterValue', message });
  });
});

test('fails for ids and pages at once, and for a token that is none', async () => {
  await withLocalCloud({}, async (test) => {
    const id = await launch(test);
    await expect(test.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id], MaxResults: 5 }))).rejects.toMatchObject({
      name: 'InvalidParameterCombination',
      message: 'The parameter instancesSet cannot be used with the parameter maxResults',
    });
    const VolumeIds = [test.cloud.ec2.instances()[0]!.volumes[0]!.id];
    await expect(test.ec2.send(new DescribeVolumesCommand({ VolumeIds, MaxResults: 5 }))).rejects.toBeInstanceOf(EC2ServiceException);
    await expect(test.ec2.send(new DescribeInstancesCommand({ NextToken: 'x' }))).rejects.toMatchObject({ name: 'InvalidNextToken' });
  });
});
