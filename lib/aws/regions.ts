import type { AwsContext } from './clients';
import { wording } from './errors';

/** Regions that the account can use. */
export async function accountRegions(context: AwsContext, abortSignal?: AbortSignal): Promise<string[]> {
  return wording('ec2:DescribeRegions', async () => {
    const { DescribeRegionsCommand } = await import('./sdk/ec2-account.js');
    const { Regions = [] } = await (await context.ec2()).send(new DescribeRegionsCommand({}), { abortSignal });
    return Regions.map(({ RegionName = '' }) => RegionName).sort();
  });
}
