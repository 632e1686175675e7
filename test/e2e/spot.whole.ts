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

describe('a spot VM that EC2 takes back', () => {
  /** Starts on spot, works until told, or ends at once when it is not the first try. */
  const JOB = `
    echo "try $RAWCLOUD_ATTEMPT"
    [ "$RAWCLOUD_ATTEMPT" -gt 0 ] && exit 0
    trap 'echo told; echo half > out.txt; exit 0' TERM
    while :; do sleep 0.1; done`;

  async function interruptedRun(...options: string[]) {
    const running = house.start(['run', '--spot-policy', 'spot', ...options, 'sh', '-c', JOB]);
    await running.saw(/try 0/);
    const [instance] = house.cloud.ec2.instances();
    await house.cloud.ec2.interrupt(instance!.id, { noticeMs: 12_000 });
    return running.ended;
  }

  test('is 123 when nobody said that it may be tried again, with what the job wrote and the option that would', async () => {
    const ended = await interruptedRun();
    expect(ended.code).toBe(123);
    expect(ended.stdout.toString()).toBe('try 0\ntold\n');
    expect(ended.stderr).toMatch(/EC2 takes this spot VM back at .* UTC/);
    expect(ended.stderr).toMatch(/lost .*EC2 took the spot VM i-[0-9a-f]+ back/);
    expect(ended.stderr).toMatch(/--retries N/);
    expect((await house.rawcloud(['download'])).stdout.toString() + ended.stderr).toMatch(/out\.txt/);
    expect(house.cloud.ec2.instances().every((i) => i.state === 'terminated' || i.state === 'shutting-down')).toBe(true);
  });

  test('is followed by another with --retries, in one stream of output and with a bill for both', async () => {
    const ended = await interruptedRun('--retries', '1');
    expect(ended.code).toBe(0);
    expect(ended.stdout.toString()).toBe('try 0\ntold\ntry 1\n');
    expect(purchases()).toEqual(['spot', 'spot']);
    const { stdout } = await house.rawcloud(['status', '--json']);
    const status = JSON.parse(stdout.toString()) as { vms: unknown[]; bill: { lines: { what: string }[] } };
    expect(status.vms).toHaveLength(2);
    expect(status.bill.lines.filter(({ what }) => what.startsWith('spot '))).toHaveLength(2);
  });
});

test('a VM whose host dies is followed by another with --retries', async () => {
  const job = 'echo "try $RAWCLOUD_ATTEMPT"; [ "$RAWCLOUD_ATTEMPT" -gt 0 ] || sleep 600';
  const running = house.start(['run', '--retries', '2', 'sh', '-c', job]);
  await running.saw(/try 0/);
  await house.cloud.ec2.kill(house.cloud.ec2.instances()[0]!.id);
  const ended = await running.ended;
  expect(ended).toMatchObject({ code: 0 });
  expect(ended.stdout.toString()).toBe('try 0\ntry 1\n');
  expect(ended.stderr).toMatch(/went away while the job was on it/);
});
