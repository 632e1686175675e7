import { findRawcloudError, RawcloudError, scaffoldParameterName } from '../../contract';
import type { StackStep, Template } from '../../contract';
import { toRawcloudError } from '../../aws/errors';
import type { Where } from './commands';

/** What has become of a deployment that failed, and what an administrator would type. */
export interface FailedDeployment extends Where {
  readonly stack: string;
  readonly steps: readonly StackStep[];
  /** @default - of a stack that is not ours */
  readonly template?: Template | undefined;
  readonly adminCommand: string;
  /** What the same person types to go on. */
  readonly againCommand: string;
}

const AGAIN = 'When the cause is gone, start rawcloud deploy again.';
const DENIED = /not authorized to perform:? ([a-z0-9-]+:[A-Za-z*]+)/;

/** The failure in our words: the first resource that failed, why, and what to do. */
export function failureOf(error: unknown, failed: FailedDeployment): RawcloudError {
  const { stack, steps, template, adminCommand, againCommand, name, region } = failed;
  const known = findRawcloudError(error);
  if (known) return known;
  const said = saidBy(error);
  const broken = steps.filter(({ status, reason = '' }) => status.endsWith('_FAILED') && !/cancelled|The following resource/.test(reason));
  const [first] = broken;
  const cause = first ? `${first.id} (${first.type}): ${first.reason ?? first.status}` : said;
  const action = DENIED.exec(cause)?.[1] ?? DENIED.exec(said)?.[1];
  if (action !== undefined || /AccessDenied|is not authorized/.test(cause)) {
    return new RawcloudError('E_PERMISSION', `the deployment of ${stack} was denied ${action ?? 'a call'}: ${cause}`, {
      remedy: `${first ? "CloudFormation's own role lacks it, or a policy of the organization forbids it. " : ''}An administrator types, once: ${adminCommand}`,
      data: { ...(action === undefined ? {} : { action }), command: adminCommand },
      cause: error,
    });
  }
  if (!first) {
    const call = toRawcloudError(rootOf(error), `deploying ${stack}`);
    // Not the stack failed but a call: it is a matter of credentials or of the network, and nobody knows how far CloudFormation is.
    if (call.code !== 'E_AWS') return outOfSight(call, stack, againCommand);
  }
  return new RawcloudError('E_DEPLOY', `the stack ${stack} could not be deployed: ${cause}`, {
    remedy: [steps.length === 0 ? AGAIN : remedyFor(first, template, { name, region }), ...leftovers(steps, region)].join(' '),
    data: { failed: broken.map(({ id, type, reason }) => ({ id, type, reason: reason ?? '' })) },
    cause: error,
  });
}

/** The CDK's words and, where they leave it out, what was behind them. */
function saidBy(error: unknown): string {
  const root = rootOf(error);
  const said = String((error as { readonly message?: string }).message ?? error).replace(/^\W*\S+ failed: /, '');
  const { name = '', message = '' } = root as { readonly name?: string; readonly message?: string };
  return root === error || said.includes(message) ? said : `${said}: ${name}: ${message}`;
}

/** The CDK puts what failed of several things, as the upload of assets, into one error. */
function rootOf(error: unknown): unknown {
  const { cause, errors } = error as { readonly cause?: unknown; readonly errors?: readonly unknown[] };
  const next = errors?.[0] ?? cause;
  return next instanceof Error ? rootOf(next) : error;
}

function outOfSight(call: RawcloudError, stack: string, againCommand: string): RawcloudError {
  return new RawcloudError(call.code, call.message, {
    retryable: call.retryable,
    remedy: [
      ...(call.remedy === undefined ? [] : [call.remedy]),
      `What CloudFormation has begun with the stack ${stack}, it goes on with by itself. To wait for its end, and see that all is well: ${againCommand}`,
    ].join(' '),
    data: { ...call.data, stack },
    cause: call,
  });
}

function remedyFor(failed: StackStep | undefined, template: Template | undefined, { name, region }: Where): string {
  const reason = failed?.reason ?? '';
  if (failed?.type === 'AWS::SSM::Parameter' && /already exists/i.test(reason)) {
    const named = template?.Resources[failed.id]?.Properties?.['Name'];
    const parameter = typeof named === 'string' ? named : scaffoldParameterName(name);
    return `The parameter ${parameter} is another stack's: give this scaffolding another name (--scaffold NAME), or delete it when nothing uses it: aws ssm delete-parameter --name ${parameter} --region ${region}`;
  }
  if (/already exists/i.test(reason)) {
    return `${failed!.physicalId ?? 'That'} exists and is not of this stack: delete or rename it, then start rawcloud deploy again.`;
  }
  if (/limit|quota/i.test(reason))
    return 'Raise that quota in Service Quotas, or remove what is not needed; then start rawcloud deploy again.';
  return `CloudFormation takes back what it has begun. ${AGAIN}`;
}

/** What CloudFormation leaves by the template's wish, though it was just made. */
function leftovers(steps: readonly StackStep[], region: string): string[] {
  const created = new Set(steps.filter(({ status }) => status === 'CREATE_COMPLETE').map(({ id }) => id));
  const buckets = steps.filter(({ id, type, status }) => type === 'AWS::S3::Bucket' && status === 'DELETE_SKIPPED' && created.has(id));
  return buckets.map(({ physicalId }) => `An empty bucket stays: aws s3 rb s3://${physicalId} --region ${region}`);
}
