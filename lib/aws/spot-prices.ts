import type { _InstanceType, DescribeSpotPriceHistoryRequest } from '@aws-sdk/client-ec2';
import type { SpotPrice } from '../contract';
import type { AwsContext } from './clients';
import { wording } from './errors';

/** Rows on a page. EC2 allows 1000. */
const PAGE = 1000;

/** Linux; VPC is what all new VMs are in, and the plain product is how the history names it. */
const LINUX = { ProductDescriptions: ['Linux/UNIX'] };

/** Prices in effect now. */
export async function currentSpotPrices(
  context: AwsContext,
  vmTypes: readonly string[] | undefined,
  signal?: AbortSignal,
): Promise<SpotPrice[]> {
  // A start time of now: EC2 then gives the one price in effect for each type and zone.
  const StartTime = new Date(context.clock.now());
  const InstanceTypes = vmTypes?.map((name) => name as _InstanceType);
  return history(context, { ...LINUX, StartTime, ...(InstanceTypes ? { InstanceTypes } : {}) }, signal);
}

/** Prices of one pool in effect between two times, oldest first. */
export async function spotPriceHistory(
  context: AwsContext,
  pool: { readonly vmType: string; readonly zone: string },
  [fromMs, toMs]: readonly [number, number],
  signal?: AbortSignal,
): Promise<SpotPrice[]> {
  const input = {
    ...LINUX,
    InstanceTypes: [pool.vmType as _InstanceType],
    AvailabilityZone: pool.zone,
    StartTime: new Date(fromMs),
    EndTime: new Date(toMs),
  };
  return (await history(context, input, signal)).sort((a, b) => a.since - b.since);
}

async function history(context: AwsContext, input: DescribeSpotPriceHistoryRequest, signal?: AbortSignal): Promise<SpotPrice[]> {
  return wording('ec2:DescribeSpotPriceHistory', async () => {
    const { DescribeSpotPriceHistoryCommand } = await import('./sdk/ec2.js');
    const client = await context.ec2();
    const found: SpotPrice[] = [];
    let NextToken: string | undefined;
    do {
      const request = { ...input, MaxResults: PAGE, ...(NextToken ? { NextToken } : {}) };
      const page = await client.send(new DescribeSpotPriceHistoryCommand(request), { abortSignal: signal });
      for (const row of page.SpotPriceHistory ?? []) {
        const { InstanceType, AvailabilityZone, SpotPrice: usd, Timestamp } = row;
        if (InstanceType && AvailabilityZone && usd) {
          found.push({ vmType: InstanceType, zone: AvailabilityZone, usdPerHour: Number(usd), since: Timestamp?.getTime() ?? 0 });
        }
      }
      NextToken = page.NextToken;
    } while (NextToken);
    return found;
  });
}
