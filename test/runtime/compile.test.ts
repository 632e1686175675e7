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

  test('tags the spot request too, where there is one', () => {
    const kinds = (text: string) => parse(text).TagSpecifications.map((t) => t.ResourceType);
    const spot = compileLaunch({ ...input, offer: offer({ purchase: 'spot' }) });
    expect(kinds(spot)).toEqual(['instance', 'volume', 'network-interface', 'spot-instances-request']);
    expect(kinds(recompileLaunch(spot, JOB, 1, offer()))).not.toContain('spot-instances-request');
    expect(kinds(recompileLaunch(compileLaunch(input), JOB, 1, offer({ purchase: 'spot' })))).toContain('spot-instances-request');
  });

  test('carries the tags that the scaffolding demands, whatever the job says, and the next launch those that it demands by then', () => {
    const scaffold = { ...input.scaffold, vmTags: { CostCenter: '4711', team: 'platform' } };
    const compiled = compileLaunch({ ...input, scaffold });
    for (const { Tags } of parse(compiled).TagSpecifications) {
      expect(Tags).toEqual(
        expect.arrayContaining([
          { Key: 'CostCenter', Value: '4711' },
          { Key: 'team', Value: 'platform' },
        ]),
      );
      expect(Tags.filter(({ Key }) => Key === 'team')).toHaveLength(1);
    }
    for (const { Tags } of parse(recompileLaunch(compiled, JOB, 1, offer(), { vmTags: { CostCenter: '4712', Owner: 'data' } }))
      .TagSpecifications) {
      expect(Tags).toEqual(
        expect.arrayContaining([
          { Key: 'CostCenter', Value: '4712' },
          { Key: 'Owner', Value: 'data' },
        ]),
      );
      expect(Tags).toContainEqual({ Key: 'rawcloud:launch', Value: '1' });
    }
  });

  test('names the subnet of its zone where a VPC was brought along, and so does the next one', () => {
    const subnets = [
      { id: 'subnet-a', zone: 'us-east-1a', public: false },
      { id: 'subnet-b', zone: 'us-east-1b', public: false },
    ];
    const compiled = compileLaunch({ ...input, scaffold: { ...input.scaffold, subnets } });
    expect(JSON.parse(compiled)).toMatchObject({ SubnetId: 'subnet-a' });
    expect(compiled).not.toMatch(/Placement/);
    const next = offer({ zone: 'us-east-1b' });
    expect(JSON.parse(recompileLaunch(compiled, JOB, 1, next, { subnets }))).toMatchObject({ SubnetId: 'subnet-b' });
    // The template of a job that began in the default VPC has a group of that VPC.
    expect(recompileLaunch(compileLaunch(input), JOB, 1, next, { subnets })).not.toMatch(/SubnetId/);
  });

  test('buys no surplus credits for burstable types', () => {
    expect(parse(compileLaunch({ ...input, offer: offer({ vmType: 't3.large' }) })).CreditSpecification).toEqual({
      CpuCredits: 'standard',
    });
    expect(parse(compileLaunch(input)).CreditSpecification).toBeUndefined();
  });
});
