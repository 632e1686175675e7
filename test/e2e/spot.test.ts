import { House } from './house';

let house: House;

beforeEach(async () => {
  house = await House.open();
});

afterEach(async () => {
  await house.close();
});

const purchases = (): (string | undefined)[] => house.cloud.ec2.instances().map((i) => (i.spot ? 'spot' : 'on-demand'));

describe('spot VMs', () => {
  test('are bought when asked for, and said to be', async () => {
    const ended = await house.rawcloud(['run', '--spot-policy', 'spot', 'true']);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/spot [a-z0-9]+\.[a-z0-9]+ \(/);
    expect(ended.stderr).toMatch(/bill .*spot [a-z0-9]+\.[a-z0-9]+ .*spot price history/);
    expect(purchases()).toEqual(['spot']);
  });

  test('give way to VMs on demand when there are none, with each step’s reason in status and events', async () => {
    house.cloud.ec2.noCapacity([{ purchase: 'spot' }]);
    const ended = await house.rawcloud(['run', '--json', '--spot-policy', 'spot_with_fallback', 'true']);
    const lines = ended.stdout.toString().trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as { type: string; data: Record<string, unknown> });
    expect(purchases()).toEqual(['on-demand']);
    const intents = events.filter((e) => e.type === 'launch.intent').map((e) => e.data['reason']);
    expect(intents.length).toBeGreaterThan(3);
    expect(intents.slice(1).every((reason) => /^spot .* has no capacity \(InsufficientInstanceCapacity\)$/.test(String(reason)))).toBe(
      true,
    );
    const { stdout } = await house.rawcloud(['status']);
    expect(stdout.toString()).toMatch(/has no capacity \(InsufficientInstanceCapacity\)/);
  });

  test('that no pool has are 120, with every pool that was tried', async () => {
    house.cloud.ec2.noCapacity([{ purchase: 'spot' }]);
    const ended = await house.rawcloud(['run', '--spot-policy', 'spot', 'true']);
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/tried spot .*; spot .*InsufficientInstanceCapacity/);
    expect(house.cloud.ec2.instances()).toEqual([]);
  });

  test('whose quota is used up give way at once, without trying each pool of the same quota', async () => {
    house.cloud.ec2.setQuotas({ 'L-34B43A08': 1 });
    const ended = await house.rawcloud(['run', '--spot-policy', 'spot_with_fallback', 'true']);
    expect(ended.code).toBe(0);
    expect(purchases()).toEqual(['on-demand']);
    expect(house.calls('RunInstances')).toBe(2);
  });

  test('get the role that they need when the account has none', async () => {
    house.cloud.ec2.spotRole(false);
    const ended = await house.rawcloud(['run', '--spot-policy', 'spot', 'true']);
    expect(ended.code).toBe(0);
    expect(house.calls('CreateServiceLinkedRole')).toBe(1);
    expect(purchases()).toEqual(['spot']);
  });

  test('are 120 without that role and the right to make it, with the command for an administrator', async () => {
    house.cloud.ec2.spotRole(false);
    house.cloud.faults.arm({
      operation: 'CreateServiceLinkedRole',
      count: 9,
      effect: { kind: 'error', status: 403, code: 'AccessDenied' },
    });
    const ended = await house.rawcloud(['run', '--spot-policy', 'spot', 'true']);
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/aws iam create-service-linked-role --aws-service-name spot\.amazonaws\.com/);
  });
});

test('a quota that refuses is named with its value, its use and the command that raises it', async () => {
  house.cloud.ec2.setQuotas({ 'L-1216C47A': 1 });
  const ended = await house.rawcloud(['run', 'true']);
  expect(ended.code).toBe(120);
  expect(ended.stderr).toMatch(/quota "Running On-Demand Standard .*" \(L-1216C47A\): 1 vCPU, 0 in use, 2 asked for/);
  expect(ended.stderr).toMatch(
    /aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-1216C47A --desired-value 3/,
  );
});

test('a dry run reads prices and quotas first, so the run after it is refused by its quota before any call', async () => {
  house.cloud.ec2.setQuotas({ 'L-1216C47A': 1 });
  await house.rawcloud(['run', '--dry-run', 'true']);
  const ended = await house.rawcloud(['run', 'true']);
  expect(ended.code).toBe(120);
  expect(ended.stderr).toMatch(/does not fit into the quota .*L-1216C47A/);
  expect(house.calls('RunInstances')).toBe(0);
});
