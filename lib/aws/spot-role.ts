import { RawcloudError, SPOT_ROLE_MISSING } from '../contract';
import type { AwsContext } from './clients';
import { classify, toRawcloudError } from './errors';
import { callService, dnsSuffix } from './service-call';

/** Whether a launch failed because the account has never had a spot VM, and the caller's rights did not let EC2 make the role. */
export function lacksSpotRole(error: unknown): boolean {
  return classify(error).awsCode === SPOT_ROLE_MISSING;
}

/**
 * Makes the service-linked role AWSServiceRoleForEC2Spot. EC2 tries the same with the caller's rights, so this helps where
 * it was a matter of time or of the kind of call; otherwise the launch's own error, with its remedy, is what counts.
 * @returns false when it could not be made, or was there already
 */
export async function createSpotRole(context: AwsContext): Promise<boolean> {
  const region = context.region.startsWith('cn-') ? 'cn-north-1' : 'us-east-1';
  const call = {
    service: 'iam',
    region,
    host: `iam.${region.startsWith('cn-') ? `${region}.` : ''}${dnsSuffix(region)}`,
    what: 'iam:CreateServiceLinkedRole',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      Action: 'CreateServiceLinkedRole',
      Version: '2010-05-08',
      AWSServiceName: 'spot.amazonaws.com',
    }).toString(),
  };
  try {
    await callService(context, call);
    return true;
  } catch (error) {
    const { class: failure } = classify(error);
    if (failure === 'permission' || failure === 'request') return false;
    throw toRawcloudError(error, call.what);
  }
}

/** To be tried again: IAM shows a new role everywhere only after a few seconds. */
export function spotRoleJustMade(cause: unknown): RawcloudError {
  return new RawcloudError('E_AWS', 'the role AWSServiceRoleForEC2Spot was just made, and EC2 does not see it yet', {
    retryable: true,
    data: { class: 'unavailable', awsCode: SPOT_ROLE_MISSING },
    cause,
  });
}
