import type { _InstanceType, Instance as SdkInstance, RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { stateReasonText, TAGS } from '../contract';
import type { Compute, Instance } from '../contract';
import type { AwsContext } from './clients';
import { classify, toRawcloudError, wording } from './errors';
import { createSpotRole, lacksSpotRole, spotRoleJustMade } from './spot-role';

/** Instances asked for per page. EC2 allows 5 to 1000. */
const PAGE = 1000;

/** Loads the client's code ahead of its first use, as soon as there is nothing else to do. A failure is met at that use. */
export function loadEc2(): void {
  setImmediate(() => void import('./sdk/ec2.js').catch(() => undefined));
}

/** EC2 through the SDK. */
export function createEc2Compute(context: AwsContext): Compute {
  const sdk = (): Promise<typeof import('./sdk/ec2.js')> => import('./sdk/ec2.js');
  return {
    async launch(request) {
      // Not abortable: a launch whose answer nobody waits for is a VM that nobody knows.
      return wording('ec2:RunInstances', async () => {
        const { RunInstancesCommand } = await sdk();
        const client = await context.ec2Once();
        try {
          const answer = await client.send(new RunInstancesCommand(JSON.parse(request) as RunInstancesCommandInput));
          return (answer.Instances ?? []).map(toInstance);
        } catch (error) {
          if (lacksSpotRole(error) && (await createSpotRole(context))) throw spotRoleJustMade(error);
          throw error;
        }
      });
    },
    async describe({ scaffold, job, clientToken }, options = {}) {
      const Filters = [
        { Name: `tag:${TAGS.scaffold}`, Values: [scaffold] },
        ...(job ? [{ Name: `tag:${TAGS.job}`, Values: [job] }] : []),
        ...(clientToken ? [{ Name: 'client-token', Values: [clientToken] }] : []),
      ];
      return wording('ec2:DescribeInstances', async () => {
        const { DescribeInstancesCommand } = await sdk();
        const client = await context.ec2();
        const found: Instance[] = [];
        let NextToken: string | undefined;
        do {
          const page = await client.send(new DescribeInstancesCommand({ Filters, MaxResults: PAGE, ...(NextToken ? { NextToken } : {}) }), {
            abortSignal: options.signal,
          });
          found.push(...(page.Reservations ?? []).flatMap((r) => r.Instances ?? []).map(toInstance));
          NextToken = page.NextToken;
        } while (NextToken);
        return found;
      });
    },
    async terminate(ids) {
      if (ids.length === 0) return;
      try {
        const { TerminateInstancesCommand } = await sdk();
        await (await context.ec2()).send(new TerminateInstancesCommand({ InstanceIds: [...ids] }));
      } catch (error) {
        if (classify(error).awsCode !== 'InvalidInstanceID.NotFound') throw toRawcloudError(error, 'ec2:TerminateInstances');
        // EC2 refuses the whole call for one unknown id: the others must not live on because of it.
        if (ids.length > 1) for (const id of ids) await this.terminate([id]);
      }
    },
    async tag(ids, tags, options = {}) {
      await wording('ec2:CreateTags', async () => {
        const { CreateTagsCommand } = await sdk();
        const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
        await (await context.ec2()).send(new CreateTagsCommand({ Resources: [...ids], Tags }), { abortSignal: options.signal });
      });
    },
    async consoleOutput(id, options = {}) {
      return wording('ec2:GetConsoleOutput', async () => {
        const { GetConsoleOutputCommand } = await sdk();
        const { Output } = await (
          await context.ec2()
        ).send(new GetConsoleOutputCommand({ InstanceId: id }), { abortSignal: options.signal });
        return Output ? Buffer.from(Output, 'base64').toString('utf8') : '';
      });
    },
  };
}

function toInstance(found: SdkInstance): Instance {
  const endedAt = endTime(found.StateTransitionReason);
  const reason = found.StateReason;
  return {
    id: found.InstanceId ?? '',
    state: found.State?.Name ?? 'pending',
    vmType: (found.InstanceType ?? '') satisfies _InstanceType | '',
    zone: found.Placement?.AvailabilityZone ?? '',
    launchedAt: found.LaunchTime?.getTime() ?? 0,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(reason?.Code ? { stateReason: stateReasonText(reason.Code, reason.Message) } : {}),
    tags: Object.fromEntries((found.Tags ?? []).map((t) => [t.Key ?? '', t.Value ?? ''])),
    ...(found.ClientToken ? { clientToken: found.ClientToken } : {}),
    ...(found.PublicIpAddress ? { publicIp: found.PublicIpAddress } : {}),
  };
}

/** The time in `User initiated (2026-11-23 12:00:00 GMT)`. Source: EC2 API reference, Instance, StateTransitionReason. */
export function endTime(reason: string | undefined): number | undefined {
  const match = /\((\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (?:GMT|UTC)\)/.exec(reason ?? '');
  return match ? Date.parse(`${match[1]}T${match[2]}Z`) : undefined;
}
