import { compileLaunch, recompileLaunch, clientToken } from '../../lib/runtime/launch/compile';
import { World } from '../fakes/world';
import { JOB, offer, spec, START } from '../fakes/records';

const input = {
  spec: spec({ name: 'train', tags: { team: 'ml' } }),
  scaffold: new World().deps().scaffold,
  image: { id: 'ami-12345678', rootDevice: '/dev/xvda' },
  offer: offer(),
  n: 0,
  lifetimeUntil: START + 1000,
};

interface Compiled {
  ClientToken: string;
  InstanceType: string;
  CreditSpecification?: unknown;
  TagSpecifications: { ResourceType: string; Tags: { Key: string; Value: string }[] }[];
}

const parse = (text: string): Compiled => JSON.parse(text) as Compiled;

describe('a compiled launch', () => {
  test('is the same bytes for the same input', () => {
    expect(compileLaunch(input)).toBe(compileLaunch({ ...input }));
  });

  test('ends the VM and its disk when it shuts down, and tags VM, disk and interface', () => {
    const compiled = parse(compileLaunch(input));
    expect(compiled).toMatchObject({
      MinCount: 1,
      MaxCount: 1,
      InstanceInitiatedShutdownBehavior: 'terminate',
      BlockDeviceMappings: [{ Ebs: { VolumeSize: 30, DeleteOnTermination: true } }],
      Placement: { AvailabilityZone: 'us-east-1a' },
    });
    expect(compiled.TagSpecifications.map((t) => t.ResourceType)).toEqual(['instance', 'volume', 'network-interface']);
    for (const { Tags } of compiled.TagSpecifications) {
      expect(Tags).toEqual(
        expect.arrayContaining([
          { Key: 'rawcloud:job', Value: JOB },
          { Key: 'rawcloud:scaffold', Value: 'default' },
          { Key: 'team', Value: 'ml' },
        ]),
      );
    }
  });

  test('has a token of its own for every job, number and offer, short enough for EC2', () => {
    const tokens = [
      clientToken('a', 0, offer()),
      clientToken('a', 1, offer()),
      clientToken('b', 0, offer()),
      clientToken('a', 0, offer({ zone: 'us-east-1b' })),
    ];
    expect(new Set(tokens).size).toBe(tokens.length);
    for (const token of tokens) expect(token.length).toBeLessThanOrEqual(64);
  });

  test('of the next offer is what compiling it anew would give', () => {
    const next = offer({ vmType: 't3.large', zone: 'us-east-1b' });
    expect(parse(recompileLaunch(compileLaunch(input), JOB, 1, next))).toEqual(parse(compileLaunch({ ...input, n: 1, offer: next })));
  });

  test('asks for a spot VM that ends with its interruption, and the next offer on demand does not', () => {
    const spot = compileLaunch({ ...input, offer: offer({ purchase: 'spot' }) });
    expect(JSON.parse(spot)).toMatchObject({
      InstanceMarketOptions: {
        MarketType: 'spot',
        SpotOptions: { SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate' },
      },
    });
    expect(recompileLaunch(spot, JOB, 1, offer())).not.toMatch(/MarketType/);
    expect(recompileLaunch(compileLaunch(input), JOB, 1, offer({ purchase: 'spot' }))).toMatch(/MarketType/);
  });

  test('buys no surplus credits for burstable types', () => {
    expect(parse(compileLaunch({ ...input, offer: offer({ vmType: 't3.large' }) })).CreditSpecification).toEqual({
      CpuCredits: 'standard',
    });
    expect(parse(compileLaunch(input)).CreditSpecification).toBeUndefined();
  });
});
