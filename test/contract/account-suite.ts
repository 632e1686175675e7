import { DescribeAvailabilityZonesCommand, DescribeInstanceTypeOfferingsCommand, DescribeInstanceTypesCommand } from '@aws-sdk/client-ec2';
import type { _InstanceType } from '@aws-sdk/client-ec2';
import { forwardableCredentials, whoAmI } from '../../lib/aws/identity';
import { describeImage } from '../../lib/aws/images';
import { readParameter } from '../../lib/aws/parameters';
import { parseScaffold, scaffoldParameterName } from '../../lib/contract';
import { CATALOG } from '../../lib/runtime/plan/catalog';
import { amazonLinux } from './compute-suite';
import type { Ec2At } from './compute-suite';
import { describeContract } from './contract-tests';
import type { Place } from './contract-tests';
import { DEVIATIONS } from './deviations';

const MINUTE_MS = 60_000;

/** What the runtime asks an account about itself. */
export function describeAccount(place: Place, at: () => Ec2At): void {
  describeContract({ suite: 'the account', place }, DEVIATIONS, ({ test, each }) => {
    test('knows who asks', async () => {
      const { aws, scaffold } = at();
      const arn = expect.stringMatching(new RegExp(`^arn:aws:(iam|sts)::${scaffold.account}:`)) as string;
      expect(await whoAmI(aws)).toEqual({ account: scaffold.account, arn, userId: expect.stringMatching(/./) as string });
    });

    test('exchanges long-term keys for a session with an end', async () => {
      const session = await forwardableCredentials(at().aws, 3600);
      const text = expect.stringMatching(/./) as string;
      expect(session).toMatchObject({ accessKeyId: text, secretAccessKey: text, sessionToken: text });
      expect(Math.abs(Date.parse(session.expiresAt!) - Date.now() - 60 * MINUTE_MS)).toBeLessThan(5 * MINUTE_MS);
    });

    test('has the parameter with the facts of the scaffolding, and none of another', async () => {
      const { aws, scaffold } = at();
      const text = await readParameter(aws, scaffoldParameterName(scaffold.name));
      expect(parseScaffold(text!)).toEqual(scaffold);
      expect(await readParameter(aws, scaffoldParameterName('another'))).toBeUndefined();
    });

    each('has the newest Amazon Linux for %s', { x86_64: 'x86_64', arm64: 'arm64' } as const, async (arch) => {
      const image = await amazonLinux(at().aws, arch);
      expect(image).toEqual({ id: expect.stringMatching(/^ami-[0-9a-f]{8,17}$/) as string, rootDevice: '/dev/xvda', arch });
    });

    test('fails for an image that is not there', async () => {
      const asked = describeImage(at().aws, 'ami-0123456789abcdef0');
      await expect(asked).rejects.toMatchObject({ code: 'E_AWS_REQUEST', data: { awsCode: 'InvalidAMIID.NotFound' } });
    });

    test('has the zones that the scaffolding names', async () => {
      const { aws, scaffold } = at();
      const { AvailabilityZones = [] } = await (await aws.ec2()).send(new DescribeAvailabilityZonesCommand({}));
      const names = AvailabilityZones.filter((zone) => zone.State === 'available').map((zone) => zone.ZoneName);
      expect(names).toEqual(expect.arrayContaining(scaffold.zones));
      expect(scaffold.zones.length).toBeGreaterThanOrEqual(2);
    });

    test('has every type of our table, with the processors and the memory that the table says', async () => {
      const { aws } = at();
      const names = CATALOG.map((type) => type.name as _InstanceType);
      const found = new Map<string, { vcpu: number; memoryGiB: number; arch: string; burstable: boolean }>();
      for (let from = 0; from < names.length; from += 100) {
        const InstanceTypes = names.slice(from, from + 100);
        const { InstanceTypes: types = [] } = await (await aws.ec2()).send(new DescribeInstanceTypesCommand({ InstanceTypes }));
        for (const { InstanceType, VCpuInfo, MemoryInfo, ProcessorInfo, BurstablePerformanceSupported } of types)
          found.set(InstanceType!, {
            vcpu: VCpuInfo!.DefaultVCpus!,
            memoryGiB: MemoryInfo!.SizeInMiB! / 1024,
            arch: ProcessorInfo!.SupportedArchitectures!.includes('arm64') ? 'arm64' : 'x86_64',
            burstable: BurstablePerformanceSupported ?? false,
          });
      }
      const table = CATALOG.map(({ name, vcpu, memoryGiB, arch, burstable }) => [name, { vcpu, memoryGiB, arch, burstable }] as const);
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(table));
    });

    test('offers a type in zones', async () => {
      const { aws, scaffold } = at();
      const Filters = [{ Name: 'instance-type', Values: ['m7i.large'] }];
      const { InstanceTypeOfferings = [] } = await (
        await aws.ec2()
      ).send(new DescribeInstanceTypeOfferingsCommand({ LocationType: 'availability-zone', Filters }));
      const zones = InstanceTypeOfferings.map((offering) => offering.Location);
      expect(zones).toEqual(expect.arrayContaining(scaffold.zones.slice(0, 2)));
    });
  });
}
