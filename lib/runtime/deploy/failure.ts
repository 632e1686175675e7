import { findRawcloudError, RawcloudError, scaffoldParameterName } from '../../contract';
import type { StackStep } from '../../contract';
import { toRawcloudError } from '../../aws/errors';
import type { Where } from './commands';

/** What has become of a deployment that failed, and what an administrator would type. */
export interface FailedDeployment extends Where {
  readonly stack: string;
  readonly steps: readonly StackStep[];
  readonly adminCommand: string;
}

const DENIED = /not authorized to perform:? ([a-z0-9-]+:[A-Za-z*]+)/;

/** The failure in our words: the first resource that failed, why, and what to do. */
export function failureOf(error: unknown, { stack, steps, adminCommand, name, region }: FailedDeployment): RawcloudError {
  const known = findRawcloudError(error);
  if (known) return known;
  const said = (error as { readonly message?: string }).message ?? String(error);
  const failed = steps.filter(({ status, reason = '' }) => status.endsWith('_FAILED') && !/cancelled|The following resource/.test(reason));
  const [first] = failed;
  const cause = first ? `${first.id} (${first.type}): ${first.reason ?? first.status}` : said;
  const action = DENIED.exec(cause)?.[1] ?? DENIED.exec(said)?.[1];
  if (action !== undefined || /AccessDenied|is not authorized/.test(cause)) {
    return new RawcloudError('E_PERMISSION', `the deployment of ${stack} was denied ${action ?? 'a call'}: ${cause}`, {
      remedy: `${first ? "CloudFormation's own role lacks it, or a policy of the organization forbids it. " : ''}An administrator types, once: ${adminCommand}`,
      data: { ...(action === undefined ? {} : { action }), command: adminCommand },
      cause: error,
    });
  }
  // Nothing of the stack was begun: it is a matter of credentials or of the network.
  if (!first && steps.length === 0) {
    const call = toRawcloudError(error, `deploying ${stack}`);
    if (call.code !== 'E_AWS') return call;
  }
  return new RawcloudError('E_DEPLOY', `the stack ${stack} could not be deployed: ${cause}`, {
    remedy: [remedyFor(first, { name, region }), ...leftovers(steps, region)].join(' '),
    data: { failed: failed.map(({ id, type, reason }) => ({ id, type, reason: reason ?? '' })) },
    cause: error,
  });
}

function remedyFor(failed: StackStep | undefined, { name, region }: Where): string {
  const reason = failed?.reason ?? '';
  if (failed?.type === 'AWS::SSM::Parameter' && /already exists/i.test(reason)) {
    const parameter = scaffoldParameterName(name);
    return `The parameter ${parameter} is another stack's: give this scaffolding another name (--scaffold NAME), or delete it when nothing uses it: aws ssm delete-parameter --name ${parameter} --region ${region}`;
  }
  if (/already exists/i.test(reason)) {
    return `${failed!.physicalId ?? 'That'} exists and is not of this stack: delete or rename it, then start rawcloud deploy again.`;
  }
  if (/limit|quota/i.test(reason))
    return 'Raise that quota in Service Quotas, or remove what is not needed; then start rawcloud deploy again.';
  return 'CloudFormation takes back what it has begun; when the cause is gone, start rawcloud deploy again.';
}

/** What CloudFormation leaves by the template's wish, though it was just made. */
function leftovers(steps: readonly StackStep[], region: string): string[] {
  const created = new Set(steps.filter(({ status }) => status === 'CREATE_COMPLETE').map(({ id }) => id));
  const buckets = steps.filter(({ id, type, status }) => type === 'AWS::S3::Bucket' && status === 'DELETE_SKIPPED' && created.has(id));
  return buckets.map(({ physicalId }) => `An empty bucket stays: aws s3 rb s3://${physicalId} --region ${region}`);
}
