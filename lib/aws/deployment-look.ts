import type { DeploymentLook } from '../contract';
import { createAccountLook } from './account-look';
import type { AwsContext } from './clients';
import { stackNamed, stackOf, templateOf } from './cloudformation';

/** What a deployment looks at, through the SDK and CloudFormation's own protocol. */
export function createDeploymentLook(context: AwsContext): DeploymentLook {
  return {
    ...createAccountLook(context),
    stack: (name) => stackNamed(context, name),
    template: (stack) => templateOf(context, stack),
    stackOf: (physicalId, likely) => stackOf(context, physicalId, likely),
  };
}
