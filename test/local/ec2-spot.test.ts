import {
  CancelSpotInstanceRequestsCommand,
  DescribeInstancesCommand,
  DescribeSpotInstanceRequestsCommand,
  DescribeSpotPriceHistoryCommand,
  paginateDescribeSpotPriceHistory,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { DescribeSpotPriceHistoryCommandInput, RunInstancesCommandInput, SpotPrice } from '@aws-sdk/client-ec2';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';
import { launch, run, script } from './launching';

const HOUR_MS = 3_600_000;

const spot = (MaxPrice?: string): Partial<RunInstancesCommandInput> => ({
  InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { ...(MaxPrice === undefined ? {} : { MaxPrice }) } },
  Placement: { AvailabilityZone: 'us-east-1a' },
});

async function prices({ ec2 }: TestCloud, ask: DescribeSpotPriceHistoryCommandInput): Promise<SpotPrice[]> {
  const all: SpotPrice[] = [];
  for await (const page of paginateDescribeSpotPriceHistory({ client: ec2 }, ask)) all.push(...(page.SpotPriceHistory ?? []));
  return all;
}

const at = (ms: number): Date => new Date(ms);
const told = (p: SpotPrice): string => `${p.AvailabilityZone} ${p.InstanceType} ${p.SpotPrice} ${p.Timestamp?.toISOString()}`;

test('spot prices move with type, zone and time, are below on demand, and the same for everybody', async () => {
  await withLocalCloud({}, async (test) => {
    const now = Date.now();
    const ask = { InstanceTypes: ['m7i.large' as const], StartTime: at(now - 72 * HOUR_MS), EndTime: at(now) };
    const history = await prices(test, { ...ask, MaxResults: 7 });
    expect((await prices(test, ask)).map(told)).toEqual(history.map(told));
    expect((await prices(await test.restart(), ask)).map(told)).toEqual(history.map(told));
    const times = history.map((p) => p.Timestamp!.getTime());
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(new Set(history.map((p) => p.AvailabilityZone)).size).toBe(3);
    expect(new Set(history.map((p) => p.SpotPrice)).size).toBeGreaterThan(9);
    for (const { SpotPrice } of history) expect(Number(SpotPrice)).toBeLessThan(0.1008 * 0.6);
  });
});

test('the prices in effect at a time are one for each zone, whenever they began', async () => {
  await withLocalCloud({}, async (test) => {
    const now = Date.now();
    const current = await prices(test, {
      InstanceTypes: ['m7i.large', 'c7g.large'],
      StartTime: at(now),
      ProductDescriptions: ['Linux/UNIX'],
    });
    expect(current.map((p) => `${p.AvailabilityZone} ${p.InstanceType}`).sort()).toEqual(
      ['a', 'b', 'c'].flatMap((z) => [`us-east-1${z} c7g.large`, `us-east-1${z} m7i.large`]),
    );
    for (const { Timestamp } of current) expect(Timestamp!.getTime()).toBeLessThanOrEqual(now);
    expect(await prices(test, { InstanceTypes: ['m7i.large'], ProductDescriptions: ['Windows'], StartTime: at(now) })).toEqual([]);
    const Filters = [{ Name: 'availability-zone', Values: ['*b'] }];
    expect(await prices(test, { InstanceTypes: ['m7i.large'], StartTime: at(now), Filters })).toHaveLength(1);
    await expect(test.ec2.send(new DescribeSpotPriceHistoryCommand({ AvailabilityZone: 'us-east-1z' }))).rejects.toMatchObject({
      name: 'InvalidParameterValue',
    });
  });
});

test('a price that was set is in effect from then on', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.ec2.spotPrices([{ vmType: 'm7i.large', zone: 'us-east-1b', usdPerHour: 0.0999 }]);
    const ask = { InstanceTypes: ['m7i.large' as const], AvailabilityZone: 'us-east-1b', StartTime: at(Date.now() + 1000) };
    expect(await prices(test, ask)).toMatchObject([{ SpotPrice: '0.099900' }]);
    test.cloud.ec2.clearSpotPrices();
    expect((await prices(test, ask))[0]!.SpotPrice).not.toBe('0.099900');
  });
});

test('a spot instance says what it is, and so does its request', async () => {
  await withLocalCloud({}, async (test) => {
    const { ec2 } = test;
    const Tags = [{ Key: 'rawcloud:job', Value: 'abc' }];
    const { Instances } = await ec2.send(
      run({
        ...spot('0.1'),
        TagSpecifications: [{ ResourceType: 'spot-instances-request', Tags }],
        InstanceInitiatedShutdownBehavior: 'stop',
      }),
    );
    const [instance] = Instances!;
    expect(instance).toMatchObject({
      InstanceLifecycle: 'spot',
      SpotInstanceRequestId: expect.stringMatching(/^sir-[a-z0-9]{8}$/) as string,
    });
    const [id, SpotInstanceRequestIds] = [instance!.InstanceId!, [instance!.SpotInstanceRequestId!]];
    const Filters = [{ Name: 'instance-lifecycle', Values: ['spot'] }];
    await launch(test);
    expect((await ec2.send(new DescribeInstancesCommand({ Filters }))).Reservations).toMatchObject([{ Instances: [{ InstanceId: id }] }]);
    const request = async () =>
      (await ec2.send(new DescribeSpotInstanceRequestsCommand({ SpotInstanceRequestIds }))).SpotInstanceRequests![0];
    expect(await request()).toMatchObject({ State: 'active', Status: { Code: 'fulfilled' }, InstanceId: id, SpotPrice: '0.100000', Tags });
    await ec2.send(new CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds }));
    expect(await request()).toMatchObject({ State: 'cancelled', Status: { Code: 'request-canceled-and-instance-running' } });
    await expect(ec2.send(new StopInstancesCommand({ InstanceIds: [id] }))).rejects.toMatchObject({ name: 'UnsupportedOperation' });
    await test.cloud.ec2.whenState(id, 'running');
    await test.cloud.ec2.powerOff(id);
    expect(await request()).toMatchObject({ State: 'closed', Status: { Code: 'instance-terminated-by-user' } });
  });
});

test('an interrupted spot instance is told in its metadata and taken back when the time is over', async () => {
  await withLocalCloud({}, async (test) => {
    const look = `until curl -sf -H "X-aws-ec2-metadata-token: $token" $imds/meta-data/spot/instance-action >notice.new; do sleep 0.05; done
      curl -sf -H "X-aws-ec2-metadata-token: $token" $imds/meta-data/events/recommendations/rebalance >>notice.new; echo >>notice.new; mv notice.new notice; sleep 1000`;
    const token = `imds=$AWS_EC2_METADATA_SERVICE_ENDPOINT/latest
      token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $imds/api/token)`;
    const id = await launch(test, { ...spot(), UserData: script(`${token}\n${look}`) });
    await test.cloud.ec2.whenState(id, 'running');
    await test.cloud.ec2.interrupt(id);
    const [, action, time] = /^\{"action":"(\w+)","time":"([^"]+)"\}\{"noticeTime":"[^"]+"\}$/.exec(await test.line(id, 'notice')) ?? [];
    expect(action).toBe('terminate');
    expect(Date.parse(time!) - Date.now()).toBeGreaterThan(100_000);
    await test.cloud.ec2.interrupt(id, { noticeMs: 0 });
    expect(await test.cloud.ec2.whenState(id, 'terminated')).toMatchObject({
      stateReason: { code: 'Server.SpotInstanceTermination', message: 'Server.SpotInstanceTermination: Spot instance termination' },
    });
    await expect(test.cloud.ec2.interrupt(id)).rejects.toThrow(/is terminated: it cannot be interrupted/);
  });
});

test('a notice outlives the local cloud', async () => {
  await withLocalCloud({}, async (test) => {
    const id = await launch(test, { ...spot(), UserData: script('sleep 1000') });
    await test.cloud.ec2.whenState(id, 'running');
    await test.cloud.ec2.interrupt(id, { noticeMs: 500 });
    const next = await test.restart({ keepMachines: true });
    expect((await next.cloud.ec2.whenState(id, 'terminated')).stateReason?.code).toBe('Server.SpotInstanceTermination');
  });
});

test('fails to launch spot without spot capacity, below the price, and beyond the quota; on demand goes on', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.ec2.spotPrices([{ vmType: 'm7i.large', usdPerHour: 0.05 }]);
    await expect(launch(test, spot('0.049'))).rejects.toMatchObject({
      name: 'SpotMaxPriceTooLow',
      message: 'Your Spot request price of 0.049 is lower than the minimum required Spot request fulfillment price of 0.05.',
      $metadata: { httpStatusCode: 400 },
    });
    test.cloud.ec2.noCapacity([{ purchase: 'spot', count: 1 }]);
    await expect(launch(test, spot())).rejects.toMatchObject({
      name: 'InsufficientInstanceCapacity',
      message: 'There is no Spot capacity available that matches your request.',
    });
    test.cloud.ec2.setQuotas({ 'L-34B43A08': 3 });
    await launch(test, spot());
    await expect(launch(test, spot())).rejects.toMatchObject({
      name: 'MaxSpotInstanceCountExceeded',
      message: 'Max spot instance count exceeded',
    });
    await launch(test);
  });
});

test('fails to launch on demand beyond the quota of vCPUs; between two counts as many are launched as it allows', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.ec2.setQuotas({ 'L-1216C47A': 5 });
    const { Instances } = await test.ec2.send(run({ MinCount: 1, MaxCount: 4 }));
    expect(Instances).toHaveLength(2);
    await expect(launch(test)).rejects.toMatchObject({
      name: 'VcpuLimitExceeded',
      message: expect.stringMatching(/^You have requested more vCPU capacity than your current vCPU limit of 5 allows/) as string,
    });
    const id = Instances![0]!.InstanceId!;
    await test.cloud.ec2.whenState(id, 'running');
    await test.cloud.ec2.kill(id);
    await launch(test);
    expect(() => test.cloud.ec2.setQuotas({ 'L-0': 1 })).toThrow(/there is no quota L-0; there are L-1216C47A/);
  });
});

test('fails to launch spot while the service-linked role is missing', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.ec2.spotRole(false);
    await expect(launch(test, spot())).rejects.toMatchObject({ name: 'AuthFailure.ServiceLinkedRoleCreationNotPermitted' });
    test.cloud.ec2.spotRole(true);
    await launch(test, spot());
  });
});

test.each<[string, RunInstancesCommandInput['InstanceMarketOptions'], string]>([
  ['persistent requests', { MarketType: 'spot', SpotOptions: { SpotInstanceType: 'persistent' } }, 'UnsupportedOperation'],
  ['a one-time request that stops', { MarketType: 'spot', SpotOptions: { InstanceInterruptionBehavior: 'stop' } }, 'InvalidParameterValue'],
  ['capacity blocks', { MarketType: 'capacity-block' }, 'UnsupportedOperation'],
  ['a price that is none', { MarketType: 'spot', SpotOptions: { MaxPrice: 'cheap' } }, 'InvalidParameterValue'],
])('fails for %s', async (_, InstanceMarketOptions, name) => {
  await withLocalCloud({}, async (test) => {
    await expect(launch(test, { InstanceMarketOptions })).rejects.toMatchObject({ name });
  });
});
