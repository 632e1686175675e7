import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import type { DescribeInstancesCommandOutput, EC2Client } from '@aws-sdk/client-ec2';
import type { AwsContext } from '../../lib/aws/clients';
import { createEc2Compute } from '../../lib/aws/ec2-compute';
import { TAGS } from '../../lib/contract';
import { idsOf } from './compute-suite';
import type { ComputeTests } from './compute-suite';

/** EC2 takes pages of 5 to 1000. */
const SMALL_PAGE = 5;

/** Finding VMs, and what they say. */
export const testDescribing: ComputeTests = ({ test }, fixture) => {
  test('finds VMs by scaffolding and by job, and none of others', async () => {
    const { compute, launch, job, scaffold, mine } = fixture();
    const { id } = await launch();
    expect(idsOf(await mine())).toEqual([id]);
    expect(idsOf(await compute.describe({ scaffold: scaffold.name }))).toContain(id);
    expect(await compute.describe({ scaffold: 'another', job })).toEqual([]);
    expect(await compute.describe({ scaffold: scaffold.name, job: 'another' })).toEqual([]);
  });

  test('finds VMs by the token of their launch', async () => {
    const { compute, launch, scaffold } = fixture();
    const [first, second] = [await launch({ n: 0 }), await launch({ n: 1 })];
    const found = await compute.describe({ scaffold: scaffold.name, clientToken: second.clientToken! });
    expect(idsOf(found)).toEqual([second.id]);
    expect(first.clientToken).not.toBe(second.clientToken);
  });

  test('shows a VM as the launch did', async () => {
    const { launch, mine } = fixture();
    const { state: _, publicIp: __, ...launched } = await launch({ spec: { name: 'n' } });
    expect(await mine()).toMatchObject([launched]);
  });

  test('shows that a VM is on: no end, no reason', async () => {
    const { launch, mine } = fixture();
    await launch();
    const [shown] = await mine();
    expect(['pending', 'running']).toContain(shown!.state);
    expect(shown).not.toHaveProperty('endedAt');
    expect(shown).not.toHaveProperty('stateReason');
  });

  test('shows the public address of a VM', async () => {
    const { launch, mine } = fixture();
    await launch();
    expect((await mine())[0]!.publicIp).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  });

  test('goes on from page to page, each VM once, of many launches', async () => {
    const { aws, launch, job, scaffold } = fixture();
    const ids: string[] = [];
    for (let n = 0; n < 2 * SMALL_PAGE + 2; n++) ids.push((await launch({ n })).id);
    const paged = await smallPages(aws);
    expect(idsOf(await createEc2Compute(paged.aws).describe({ scaffold: scaffold.name, job }))).toEqual(ids.sort());
    expect(paged.pages()).toBeGreaterThanOrEqual(3);
  });

  test('goes on from page to page, each VM once, of one large launch', async () => {
    const { aws, compute, request, job, scaffold } = fixture();
    const count = 2 * SMALL_PAGE + 2;
    const launched = await compute.launch(await request({ input: { MinCount: count, MaxCount: count } }));
    const paged = await smallPages(aws);
    const found = await createEc2Compute(paged.aws).describe({ scaffold: scaffold.name, job });
    expect(found).toHaveLength(count);
    expect(idsOf(found)).toEqual(idsOf(launched));
    expect(paged.pages()).toBeGreaterThanOrEqual(3);
  });

  test('sets tags: new ones are added, known ones replaced, the others stay', async () => {
    const { compute, launch, mine } = fixture();
    const launched = [await launch({ n: 0 }), await launch({ n: 1 })];
    const until = '2026-12-24T18:00:00.000Z';
    await compute.tag(idsOf(launched), { [TAGS.until]: until, note: 'ü & <x>' });
    for (const { id, tags } of await mine()) {
      expect(tags).toEqual({ ...launched.find((l) => l.id === id)!.tags, [TAGS.until]: until, note: 'ü & <x>' });
    }
  });

  test('has no console output, or some text, of a VM that has just been launched', async () => {
    const { compute, launch } = fixture();
    expect(typeof (await compute.consoleOutput((await launch()).id))).toBe('string');
  });
};

/** The same account, asked for less at a time, and how often it was asked. */
async function smallPages(aws: AwsContext): Promise<{ aws: AwsContext; pages: () => number }> {
  let pages = 0;
  const client = new Proxy(await aws.ec2(), {
    get(target, name): unknown {
      if (name !== 'send') return Reflect.get(target, name);
      return (command: DescribeInstancesCommand): Promise<DescribeInstancesCommandOutput> => {
        pages += 1;
        return target.send(new DescribeInstancesCommand({ ...command.input, MaxResults: SMALL_PAGE }));
      };
    },
  });
  return { aws: { ...aws, ec2: () => Promise.resolve<EC2Client>(client) }, pages: () => pages };
}
