import { CreateLaunchTemplateCommand, CreateSecurityGroupCommand } from '@aws-sdk/client-ec2';
import { createEc2Remains } from '../../lib/aws/ec2-remains';
import { TAGS } from '../../lib/contract';
import type { Instance, RemainKind, Thing } from '../../lib/contract';
import type { ComputeFixture, ComputeTests } from './compute-suite';

/** What VMs leave behind, and what they are made from, as the reaper lists and deletes it. */
export const testRemains: ComputeTests = ({ test }, fixture) => {
  test('a disk that stays when its VM is gone is listed as loose, and deleted', async () => {
    const { id } = await launchWithDiskThatStays(fixture());
    expect(await mine(fixture(), 'volume')).toMatchObject([{ inUse: true }]);
    await end(fixture(), id);
    const [disk, ...others] = await mine(fixture(), 'volume');
    expect(others).toEqual([]);
    expect(disk).toMatchObject({ kind: 'volume', inUse: false });
    expect(Math.abs(Date.now() - disk!.createdAt!)).toBeLessThan(600_000);
    await remove(fixture(), 'volume', disk!.id);
    expect(await mine(fixture(), 'volume')).toEqual([]);
  });

  test('fails to delete the disk of a VM that is on', async () => {
    await launchWithDiskThatStays(fixture());
    const [disk] = await mine(fixture(), 'volume');
    await expect(remove(fixture(), 'volume', disk!.id)).rejects.toMatchObject({ data: { awsCode: 'VolumeInUse' } });
    expect(await mine(fixture(), 'volume')).toHaveLength(1);
  });

  test('the network interface of a VM is listed as in use', async () => {
    await fixture().launch();
    expect(await mine(fixture(), 'interface')).toMatchObject([{ kind: 'interface', inUse: true }]);
  });

  test('a launch template is listed by its tag, and deleted', async () => {
    const { aws, job } = fixture();
    const made = await (
      await aws.ec2()
    ).send(
      new CreateLaunchTemplateCommand({
        LaunchTemplateName: job,
        LaunchTemplateData: { InstanceType: 't3.micro' },
        TagSpecifications: tagged(fixture(), 'launch-template'),
      }),
    );
    const id = made.LaunchTemplate!.LaunchTemplateId!;
    expect(await mine(fixture(), 'template')).toMatchObject([{ kind: 'template', id, inUse: false }]);
    await remove(fixture(), 'template', id);
    expect(await mine(fixture(), 'template')).toEqual([]);
  });

  test('a security group is in use while a VM is in it, and then deleted', async () => {
    const id = await createGroup(fixture());
    expect(await mine(fixture(), 'group')).toMatchObject([{ kind: 'group', id, inUse: false }]);
    const vm = await fixture().launch({ input: { SecurityGroupIds: [id] } });
    expect(await mine(fixture(), 'group')).toMatchObject([{ id, inUse: true }]);
    await end(fixture(), vm.id);
    await remove(fixture(), 'group', id);
    expect(await mine(fixture(), 'group')).toEqual([]);
  });

  const GONE: Readonly<Record<RemainKind, string>> = {
    volume: 'vol-0123456789abcdef0',
    interface: 'eni-0123456789abcdef0',
    template: 'lt-0123456789abcdef0',
    group: 'sg-0123456789abcdef0',
  };
  for (const [kind, id] of Object.entries(GONE))
    test(`deleting a ${kind} that is gone is no error`, async () => {
      await expect(remove(fixture(), kind as RemainKind, id)).resolves.toBeUndefined();
    });
};

function launchWithDiskThatStays({ launch }: ComputeFixture): Promise<Instance> {
  return launch({
    input: { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 30, VolumeType: 'gp3', DeleteOnTermination: false } }] },
  });
}

async function end({ compute, whenGone }: ComputeFixture, id: string): Promise<void> {
  await compute.terminate([id]);
  await whenGone([id]);
}

/** Of this test: other things carry the scaffolding's tag as well. */
async function mine({ aws, scaffold, job }: ComputeFixture, kind: RemainKind): Promise<Thing[]> {
  return (await createEc2Remains(aws).list(kind, scaffold.name)).filter(({ tags }) => tags[TAGS.job] === job);
}

function remove({ aws }: ComputeFixture, kind: RemainKind, id: string): Promise<void> {
  return createEc2Remains(aws).remove(kind, id);
}

async function createGroup(fixture: ComputeFixture): Promise<string> {
  const input = { GroupName: fixture.job, Description: 'of a test', TagSpecifications: tagged(fixture, 'security-group') };
  return (await (await fixture.aws.ec2()).send(new CreateSecurityGroupCommand(input))).GroupId!;
}

function tagged({ scaffold, job }: ComputeFixture, ResourceType: 'launch-template' | 'security-group') {
  return [
    {
      ResourceType,
      Tags: [
        { Key: TAGS.scaffold, Value: scaffold.name },
        { Key: TAGS.job, Value: job },
      ],
    },
  ];
}
