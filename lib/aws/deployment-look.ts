import type { DeploymentLook } from '../contract';
import { createAccountLook } from './account-look';
import type { AwsContext } from './clients';
import { stackNamed, stackOf, templateOf } from './cloudformation';
import { callService, dnsSuffix } from './service-call';

/** What a deployment looks at, through the SDK and CloudFormation's own protocol. */
export function createDeploymentLook(context: AwsContext): DeploymentLook {
  return {
    ...createAccountLook(context),
    stack: (name) => stackNamed(context, name),
    template: (stack) => templateOf(context, stack),
    tryRole: (arn, signal) => tryRole(context, arn, signal),
    stackOf: (physicalId, likely) => stackOf(context, physicalId, likely),
  };
}

/** STS makes no shorter sessions (API reference, AssumeRole). */
const SHORTEST_SESSION_S = 900;

async function tryRole(context: AwsContext, RoleArn: string, signal?: AbortSignal): Promise<void> {
  const { region } = context;
  const input = { RoleArn, RoleSessionName: 'rawcloud-deploy', DurationSeconds: String(SHORTEST_SESSION_S) };
  const call = {
    service: 'sts',
    region,
    host: `sts.${region}.${dnsSuffix(region)}`,
    what: 'sts:AssumeRole',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ Action: 'AssumeRole', Version: '2011-06-15', ...input }).toString(),
  };
  await callService(context, call, signal);
}
