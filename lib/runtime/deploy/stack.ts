import {
  isScaffoldStack,
  RawcloudError,
  scaffoldParameterName,
  scaffoldStackName,
  parseScaffold,
  SCAFFOLD_STACK_DESCRIPTION,
} from '../../contract';
import type { Scaffold, StackState, Template } from '../../contract';
import type { DeployDeps, DeployEvent } from './deps';

/** Between two looks at a stack that somebody is changing. */
const LOOK_MS = 5_000;

/** Ours to make or to change. */
export interface Ground {
  /** What is deployed. */
  readonly stack?: StackState;
  readonly template?: Template;
  readonly scaffold?: Scaffold;
  /** What is left of a creation that failed; the CDK removes it first. */
  readonly afterFailure: boolean;
}

/**
 * What the stack's name and the scaffolding's name stand for now. Waits while somebody changes the stack.
 * @throws E_DEPLOY for a stack that stands still, or one that is not ours; E_USAGE for a scaffolding of another stack
 */
export async function groundOf(
  { look, clock }: Pick<DeployDeps, 'look' | 'clock'>,
  name: string,
  tell: (event: DeployEvent) => Promise<void>,
  signal?: AbortSignal,
): Promise<Ground> {
  const stackName = scaffoldStackName(name);
  let stack = await look.stack(stackName);
  if (stack) refuseForeign(stack, look.region, name);
  for (let told = ''; stack?.status.endsWith('_IN_PROGRESS') && stack.status !== 'REVIEW_IN_PROGRESS';) {
    if (told !== stack.status) await tell({ type: 'waiting', stack: stackName, status: stack.status });
    told = stack.status;
    await clock.sleep(LOOK_MS, signal);
    stack = await look.stack(stackName);
  }
  const value = await look.parameter(scaffoldParameterName(name), signal);
  const scaffold = value === undefined ? undefined : parseScaffold(value);
  // Made, but never deployed into: a change set that nobody has carried out.
  const afterFailure = stack !== undefined && /^(CREATE_FAILED|ROLLBACK_COMPLETE|ROLLBACK_FAILED|REVIEW_IN_PROGRESS)$/.test(stack.status);
  if (!stack || afterFailure) {
    if (scaffold) await refuseOtherStack(look, scaffold);
    return { afterFailure };
  }
  refuseStuck(stack, look.region);
  return { stack, template: await look.template(stackName), afterFailure, ...(scaffold ? { scaffold } : {}) };
}

function refuseForeign({ name: stackName, description }: StackState, region: string, name: string): void {
  if (description === SCAFFOLD_STACK_DESCRIPTION) return;
  throw new RawcloudError('E_DEPLOY', `there is a stack ${stackName} in ${region} that rawcloud deploy has not made; it was left alone`, {
    remedy: `Give this scaffolding another name (--scaffold NAME${name === 'default' ? '' : ', now ' + name}), or deploy that stack with the app that made it.`,
  });
}

async function refuseOtherStack(look: DeployDeps['look'], { name, launchTemplateId }: Scaffold): Promise<void> {
  const other = await look.stackOf(launchTemplateId, scaffoldStackName(name));
  // A parameter whose stack is on its way out, or was made anew, is the stack's own.
  if (other && other.name === scaffoldStackName(name) && isScaffoldStack(other)) return;
  const whose = other ? `the stack ${other.name} has made it` : `no stack has made what ${scaffoldParameterName(name)} names`;
  throw new RawcloudError('E_USAGE', `there is a scaffolding '${name}' in ${look.region} already: ${whose}`, {
    remedy: other
      ? 'Deploy the app that made that stack, or give this one another name: --scaffold NAME.'
      : `Give this one another name: --scaffold NAME; or delete what is left: aws ssm delete-parameter --name ${scaffoldParameterName(name)} --region ${look.region}`,
  });
}

/** States out of which no update leads. */
function refuseStuck({ name, status, reason }: StackState, region: string): void {
  const way: Readonly<Record<string, string>> = {
    UPDATE_ROLLBACK_FAILED: `aws cloudformation continue-update-rollback --stack-name ${name} --region ${region}`,
    DELETE_FAILED: `rawcloud destroy --region ${region}, or: aws cloudformation delete-stack --stack-name ${name} --region ${region}`,
    UPDATE_FAILED: `aws cloudformation rollback-stack --stack-name ${name} --region ${region}`,
  };
  const remedy = way[status];
  if (remedy === undefined) return;
  throw new RawcloudError('E_DEPLOY', `the stack ${name} stands still in ${status}${reason === '' ? '' : `: ${reason}`}`, {
    remedy: `First: ${remedy}; then rawcloud deploy again.`,
  });
}
