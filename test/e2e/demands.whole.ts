import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { scaffoldParameterName } from '../../lib/contract';
import type { Scaffold } from '../../lib/contract';
import { defaultNetwork } from '../../lib/local/ec2/network';
import { House } from './house';

let house: House;

beforeEach(async () => {
  house = await House.open();
});

afterEach(async () => {
  await house.close();
});

/** As when the owner of the scaffolding deploys it with other props. */
async function demand(change: Partial<Scaffold>): Promise<void> {
  const { url: endpoint, region, credentials, scaffold } = house.cloud;
  const ssm = new SSMClient({ endpoint, region, credentials: { ...credentials } });
  const Name = scaffoldParameterName(scaffold.name);
  await ssm.send(new PutParameterCommand({ Name, Value: JSON.stringify({ ...scaffold, ...change }), Type: 'String', Overwrite: true }));
  ssm.destroy();
}

describe('tags that the account demands', () => {
  beforeEach(() => demand({ vmTags: { CostCenter: '4711' } }));

  test('are on VM, volume, interface and spot request, beside those of the job', async () => {
    const ended = await house.rawcloud(['run', '--spot-policy', 'spot', '--tag', 'team=ml', 'true']);
    expect(ended.code).toBe(0);
    const [vm] = house.cloud.ec2.instances();
    const tags = { CostCenter: '4711', team: 'ml', 'rawcloud:scaffold': 'default' };
    for (const tagged of [vm!.tags, vm!.volumes[0]!.tags, vm!.interface.tags, vm!.spot!.tags]) expect(tagged).toMatchObject(tags);
  });

  test('fail a run whose tags say otherwise, before anything is uploaded', async () => {
    const ended = await house.rawcloud(['run', '--tag', 'CostCenter=1', 'true']);
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/CostCenter=1, but every VM of scaffolding 'default' has CostCenter=4711/);
    expect(ended.stderr).toMatch(/Leave out --tag CostCenter=/);
    expect(house.calls('PutObject')).toBe(0);
  });
});

describe('limits that the account sets', () => {
  beforeEach(() => demand({ limits: { lifetimeS: 7_200, vms: 1, vmTypes: ['c*.*'], spotPolicies: ['on-demand'] } }));

  test('are kept by what is planned, and fail a run that asks for more', async () => {
    const plan = await house.rawcloud(['run', '--dry-run', '--json', 'true']);
    const { data } = JSON.parse(plan.stdout.toString()) as { data: { lifetimeS: number; offers: { vmType: string }[] } };
    expect(data.lifetimeS).toBe(7_200);
    expect(data.offers.every(({ vmType }) => vmType.startsWith('c'))).toBe(true);
    const ended = await house.rawcloud(['run', '--max-lifetime', '3h', '--spot-policy', 'spot', '--vm-type', 'm7i.large', 'true']);
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/lifetime of 3 h is too long; allowed are up to 2 h.*allowed is on-demand.*allowed are c\*\.\*/);
    expect(house.calls('RunInstances')).toBe(0);
  });

  test('fail the VM beyond their number, naming what is on, and a lifetime that is extended beyond them', async () => {
    const first = house.start(['run', '--name', 'first', 'sh', '-c', 'echo on; sleep 60']);
    await first.saw(/^on$/m);
    const second = await house.rawcloud(['run', 'true']);
    expect(second.code).toBe(120);
    expect(second.stderr).toMatch(/allows 1 VM at once, and 1 is on: c\S+ since .* \(first\) of arn:/);
    const extended = await house.rawcloud(['extend', 'first', '3h']);
    expect(extended.code).toBe(120);
    expect(extended.stderr).toMatch(/lets a job live for 2 h from its beginning/);
    expect((await house.rawcloud(['stop', 'first'])).code).toBe(0);
    await first.ended;
    await house.allGone();
  });
});

describe('subnets of a VPC that was brought along', () => {
  test('are where VMs are launched; a private one has no address, and none is paid for', async () => {
    const [, subnet] = defaultNetwork(house.cloud.region).subnets;
    await demand({ zones: [subnet!.zone], subnets: [{ id: subnet!.id, zone: subnet!.zone, public: false }] });
    const ended = await house.rawcloud(['run', 'true']);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/GiB disk, no public address/);
    expect(ended.stderr).not.toMatch(/\+ address/);
    expect(house.cloud.ec2.instances().map(({ subnetId }) => subnetId)).toEqual([subnet!.id]);
  });
});
