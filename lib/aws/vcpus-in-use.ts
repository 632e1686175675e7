import { quotaOf } from '../contract';
import type { Offer } from '../contract';
import type { AwsContext } from './clients';
import { wording } from './errors';

const PAGE = 1000;

/** vCPUs of the account's running and starting VMs in the region that a quota counts. Anybody's, not only ours. */
export async function vcpusInUse(context: AwsContext, code: string, signal?: AbortSignal): Promise<number> {
  return (await vcpusByQuota(context, signal))[code] ?? 0;
}

/** The same for all quotas at once, by code. */
export async function vcpusByQuota(context: AwsContext, signal?: AbortSignal): Promise<Record<string, number>> {
  return wording('ec2:DescribeInstances', async () => {
    const { DescribeInstancesCommand } = await import('./sdk/ec2.js');
    const client = await context.ec2();
    const Filters = [{ Name: 'instance-state-name', Values: ['pending', 'running'] }];
    const used: Record<string, number> = {};
    let NextToken: string | undefined;
    do {
      const input = { Filters, MaxResults: PAGE, ...(NextToken ? { NextToken } : {}) };
      const page: { Reservations?: { Instances?: Counted[] }[]; NextToken?: string } = await client.send(
        new DescribeInstancesCommand(input),
        {
          abortSignal: signal,
        },
      );
      const vms = (page.Reservations ?? []).flatMap((r) => r.Instances ?? []);
      for (const vm of vms) {
        const code = countedBy(vm);
        if (code !== undefined) used[code] = (used[code] ?? 0) + vcpusOf(vm);
      }
      NextToken = page.NextToken;
    } while (NextToken);
    return used;
  });
}

interface Counted {
  readonly InstanceType?: string;
  readonly InstanceLifecycle?: string;
  readonly CpuOptions?: { readonly CoreCount?: number; readonly ThreadsPerCore?: number };
}

function countedBy({ InstanceType = '', InstanceLifecycle }: Counted): string | undefined {
  const purchase: Offer['purchase'] = InstanceLifecycle === 'spot' ? 'spot' : 'on-demand';
  return quotaOf(InstanceType, purchase)?.code;
}

/** Sizes count 4 vCPUs for each `x`, whatever CpuOptions turn off; smaller ones have 1 or 2. */
function vcpusOf({ CpuOptions, InstanceType = '' }: Counted): number {
  const { CoreCount, ThreadsPerCore } = CpuOptions ?? {};
  if (CoreCount !== undefined && ThreadsPerCore !== undefined) return CoreCount * ThreadsPerCore;
  const size = InstanceType.split('.')[1] ?? '';
  const x = /^(\d*)xlarge$/.exec(size);
  return x ? 4 * Number(x[1] || 1) : size === 'medium' ? 1 : 2;
}
