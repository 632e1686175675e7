import { DescribeInstancesCommand, DescribeVolumesCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import {
  DeleteParameterCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { withLocalCloud } from '../fakes/local-cloud';

test('another region answers for itself: nothing of home is there, nothing can be launched, and its parameters are its own', () =>
  withLocalCloud({}, async ({ cloud, ssm }) => {
    const config = { endpoint: cloud.url, region: 'eu-west-1', credentials: { ...cloud.credentials }, maxAttempts: 1 };
    const [ec2There, ssmThere] = [new EC2Client(config), new SSMClient(config)];
    try {
      const launch = new RunInstancesCommand({ ImageId: 'ami-1', InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1 });
      await expect(ec2There.send(launch)).rejects.toMatchObject({ name: 'UnsupportedOperation' });

      const Name = '/rawcloud/default/scaffold';
      await expect(ssmThere.send(new GetParameterCommand({ Name }))).rejects.toMatchObject({ name: 'ParameterNotFound' });
      await ssmThere.send(new PutParameterCommand({ Name, Value: 'there', Type: 'String' }));
      const byPath = async (client: SSMClient): Promise<(string | undefined)[]> =>
        ((await client.send(new GetParametersByPathCommand({ Path: '/rawcloud', Recursive: true }))).Parameters ?? []).map((p) => p.Name);
      expect((await ssmThere.send(new GetParameterCommand({ Name }))).Parameter).toMatchObject({
        Value: 'there',
        ARN: expect.stringContaining(':eu-west-1:') as string,
      });
      expect((await ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value).not.toBe('there');
      expect([await byPath(ssm), await byPath(ssmThere)]).toEqual([[Name], [Name]]);
      await ssmThere.send(new DeleteParameterCommand({ Name }));
      expect([await byPath(ssm), await byPath(ssmThere)]).toEqual([[Name], []]);
    } finally {
      ec2There.destroy();
      ssmThere.destroy();
    }
  }));

test('what a test puts into another region shows there and nowhere else, with volume and tags', () =>
  withLocalCloud({}, async ({ cloud, ec2 }) => {
    const [ImageId, InstanceType] = [await image(ec2), 'm7i.large' as const];
    const { Instances } = await ec2.send(new RunInstancesCommand({ ImageId, InstanceType, MinCount: 1, MaxCount: 1 }));
    const home = await cloud.ec2.whenBooted(Instances![0]!.InstanceId!, AbortSignal.timeout(10_000));
    await cloud.ec2.others.put('eu-west-1', { ...home, id: 'i-there', zone: 'eu-west-1a', tags: { team: 'x' } });
    const there = new EC2Client({ endpoint: cloud.url, region: 'eu-west-1', credentials: { ...cloud.credentials } });
    try {
      const ids = async (client: EC2Client): Promise<(string | undefined)[]> =>
        ((await client.send(new DescribeInstancesCommand({}))).Reservations ?? []).flatMap((r) => r.Instances!.map((i) => i.InstanceId));
      expect([await ids(ec2), await ids(there)]).toEqual([[home.id], ['i-there']]);
      const tagged = new DescribeInstancesCommand({ Filters: [{ Name: 'tag:team', Values: ['x'] }] });
      expect((await there.send(tagged)).Reservations).toHaveLength(1);
      expect((await there.send(new DescribeVolumesCommand({}))).Volumes).toMatchObject([{ AvailabilityZone: 'eu-west-1a' }]);
    } finally {
      there.destroy();
    }
  }));

async function image(ec2: EC2Client): Promise<string> {
  const { DescribeImagesCommand } = await import('@aws-sdk/client-ec2');
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({}));
  return Images[0]!.ImageId!;
}
