import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { scaffoldParameterName } from '../../lib/contract';
import type { Scaffold } from '../../lib/contract';
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
