import { isDeepStrictEqual } from 'node:util';
import { changesOf, choicesIn, problemsOfChoices, RawcloudError, standingCosts, wordsOf } from '../../contract';
import type { Assembly, CdkTools, Check, ScaffoldChoices, StackStep, Template } from '../../contract';
import { isWell } from '../doctor/well';
import { bootstrapCommand, commandFor, deployCommand } from './commands';
import { checkBucket } from './bucket';
import type { AskedChoices, DeployDeps, DeployRequest, DeploySurvey } from './deps';
import { failureOf } from './failure';
import { chosenVpc, checkDefaultVpc } from './network';
import { lookAtRights } from './rights';
import { roleChanges, rolesOf } from './roles';
import { groundOf } from './stack';
import type { Ground } from './stack';

/** Parameter by which every CDK app knows that an account is bootstrapped. */
const BOOTSTRAP_VERSION = '/cdk-bootstrap/hnb659fds/version';

/**
 * Lays the scaffolding down or brings it up to date. All that can be known is looked at first (the stack and whose it is, the network,
 * the bootstrap), then the packages are there, then everything is shown and asked about; only after that something is changed. What was
 * chosen once holds until something else is asked for.
 * @throws E_NOT_BOOTSTRAPPED, E_NO_NETWORK, E_DEPLOY, E_PERMISSION, E_USAGE, E_ABORTED when it was not confirmed or interrupted
 */
export async function deploy(deps: DeployDeps, request: DeployRequest, signal?: AbortSignal): Promise<void> {
  const stage = new Stage(deps, request);
  try {
    await perform(deps, request, stage, signal);
  } catch (error) {
    if (signal?.aborted) throw stage.interrupted(error);
    throw stage.handedOn(error);
  }
}

async function perform(deps: DeployDeps, request: DeployRequest, stage: Stage, signal?: AbortSignal): Promise<void> {
  const { look, packages, version } = deps;
  const { name, onEvent } = request;
  const { account, arn } = await look.identity(signal);
  const ground = await groundOf(deps, name, onEvent, signal);
  const before = choicesIn(ground.template?.Metadata);
  const choices = await chosen(deps, before, request.choices, signal);
  stage.choices = choices;
  const site = { name, account, partition: arn.split(':')[1]!, isThere: ground.template !== undefined };
  for (const text of await checkBucket(look, before, choices, site, signal)) await onEvent({ type: 'notice', text });
  if (!choices.vpc) {
    const unseen = await checkDefaultVpc(look, signal);
    if (unseen !== undefined) await onEvent({ type: 'notice', text: unseen });
  }
  const bootstrap = (await look.parameter(BOOTSTRAP_VERSION, signal)) === undefined;
  if (bootstrap && !request.dryRun) await agreeToBootstrap(request, account, look.region);
  const rights = bootstrap ? undefined : await lookAtRights(look, site, signal);
  if (rights !== undefined) await onEvent({ type: 'notice', text: rights });
  await havePackages(deps, request, signal);
  const cdk = await packages.open();
  try {
    const assembly = await cdk.synthesize(name, choices, signal);
    const survey = surveyOf({ cdk, assembly, ground, before, choices });
    const all: DeploySurvey = { ...survey, name, account, region: look.region, arn, version, bootstrap };
    const unchanged = ground.template !== undefined && isDeepStrictEqual(asReturned(assembly.template), asReturned(ground.template));
    if (!unchanged) {
      await onEvent({ type: 'survey', survey: all });
      if (request.dryRun) return;
      if (!(await request.confirm({ about: 'deploy', survey: all }))) throw refused();
      if (bootstrap) await makeBootstrap(cdk, request, account, stage, signal);
      await change(cdk, assembly, request, stage, signal);
    }
    await onEvent({ type: 'deployed', stack: assembly.stackName, changed: !unchanged });
    if (!request.dryRun) await tellVerdict(deps, request, signal);
  } finally {
    await cdk.close();
  }
}

/** What was asked for over what the last deployment was told. @throws E_USAGE, E_NO_NETWORK */
async function chosen({ look }: DeployDeps, before: ScaffoldChoices, asked: AskedChoices, signal?: AbortSignal): Promise<ScaffoldChoices> {
  const { vpc, subnets, ...others } = asked;
  const kept = Object.entries({ ...before, ...others }).filter(([choice, value]) => value !== null && (choice !== 'vpc' || vpc !== null));
  const choices = Object.fromEntries(kept) as ScaffoldChoices;
  const problems = problemsOfChoices(choices);
  const vpcId = vpc ?? (subnets && vpc !== null ? before.vpc?.id : undefined);
  if (subnets && vpcId === undefined) problems.push('--subnets are those of a VPC: give --vpc as well');
  if (choices.securityGroupIds && vpcId === undefined && !choices.vpc) problems.push('--security-group needs a VPC: give --vpc as well');
  if (problems.length > 0) throw new RawcloudError('E_USAGE', problems.join('; '), { data: { problems } });
  return vpcId === undefined ? choices : { ...choices, vpc: await chosenVpc(look, vpcId, subnets, signal) };
}

async function agreeToBootstrap(
  { confirm, executionPolicies: policies = [] }: DeployRequest,
  account: string,
  region: string,
): Promise<void> {
  const command = bootstrapCommand(account, region, policies);
  if (await confirm({ about: 'bootstrap', account, region, policies, command })) return;
  throw new RawcloudError(
    'E_NOT_BOOTSTRAPPED',
    `account ${account} is not bootstrapped in ${region}, which every CDK deployment needs once`,
    {
      remedy: `An administrator types, once: rawcloud deploy --bootstrap --region ${region}, or: ${command}`,
      data: { command },
    },
  );
}

async function havePackages({ packages }: DeployDeps, { confirm, onEvent }: DeployRequest, signal?: AbortSignal): Promise<void> {
  if (await packages.isThere()) return;
  const { directory } = packages;
  if (!(await confirm({ about: 'install', packages: packages.packages, directory }))) throw refused();
  await onEvent({ type: 'installing', directory });
  await packages.install(signal);
  await onEvent({ type: 'installed', directory });
}

interface Surveyed {
  readonly cdk: CdkTools;
  readonly assembly: Assembly;
  readonly ground: Ground;
  readonly before: ScaffoldChoices;
  readonly choices: ScaffoldChoices;
}

function surveyOf({
  cdk,
  assembly,
  ground,
  before,
  choices,
}: Surveyed): Pick<
  DeploySurvey,
  'stack' | 'afterFailure' | 'options' | 'changed' | 'resources' | 'roles' | 'roleChanges' | 'from' | 'standing'
> {
  const { template: old, scaffold, afterFailure } = ground;
  return {
    stack: assembly.stackName,
    afterFailure,
    ...(scaffold ? { from: scaffold.version } : {}),
    options: Object.values(wordsOf(choices)).map(({ option, values }) => [option, ...values].join(' ')),
    changed: old ? changesOf(before, choices) : [],
    resources: cdk.changes(old, assembly.template),
    roles: old ? [] : rolesOf(assembly.template),
    roleChanges: old ? roleChanges(old, assembly.template) : [],
    standing: standingCosts(choices),
  };
}

/** A template as CloudFormation gives it back: `?` for what is not ASCII. What was chosen stands in ASCII in its metadata. */
function asReturned(template: Assembly['template']): unknown {
  return JSON.parse(JSON.stringify(template).replace(/[^\x00-\x7f]/g, '?'));
}

async function makeBootstrap(cdk: CdkTools, request: DeployRequest, account: string, stage: Stage, signal?: AbortSignal): Promise<void> {
  const { region } = stage.where;
  await request.onEvent({ type: 'bootstrapping', account, region });
  await stage.follow({ stack: 'CDKToolkit' }, (onStep) => cdk.bootstrap(account, request.executionPolicies ?? [], onStep), signal);
  await request.onEvent({ type: 'bootstrapped', account, region });
}

async function change(cdk: CdkTools, assembly: Assembly, request: DeployRequest, stage: Stage, signal?: AbortSignal): Promise<void> {
  await request.onEvent({ type: 'deploying', stack: assembly.stackName });
  const { stackName: stack, template } = assembly;
  await stage.follow({ stack, template }, (onStep) => cdk.deploy(assembly, onStep), signal);
}

async function tellVerdict(deps: DeployDeps, { name, onEvent }: DeployRequest, signal?: AbortSignal): Promise<void> {
  const checks: Check[] = [];
  for await (const check of deps.examine(signal)) checks.push(check);
  const well = isWell(checks);
  const where = { name, region: deps.look.region };
  const next = well ? commandFor(['run'], where, ['echo', 'hello']) : commandFor(['doctor'], where);
  await onEvent({ type: 'verdict', well, checks: checks.filter(({ state }) => state !== 'ok'), next });
}

function refused(): RawcloudError {
  return new RawcloudError('E_ABORTED', 'it was not confirmed; nothing was changed');
}

/** How far it is, for who is interrupted or fails in the middle. */
class Stage {
  /** Once what was chosen before is known as well. */
  choices: ScaffoldChoices | undefined;
  #stack: string | undefined;
  #steps: StackStep[] = [];

  constructor(
    private readonly deps: DeployDeps,
    private readonly request: DeployRequest,
  ) {}

  get where(): { name: string; region: string } {
    return { name: this.request.name, region: this.deps.look.region };
  }

  /** Begins something with a stack and follows what CloudFormation does; when it is interrupted, that goes on by itself. */
  async follow(
    what: { readonly stack: string; readonly template?: Template },
    begin: (onStep: (step: StackStep) => Promise<void>) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    this.#stack = what.stack;
    this.#steps = [];
    const over = new AbortController();
    const interrupted = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true, signal: over.signal });
    });
    const stepped = async (step: StackStep): Promise<void> => {
      this.#steps.push(step);
      if (!signal?.aborted) await this.request.onEvent({ type: 'step', step });
    };
    try {
      await Promise.race([begin(stepped), interrupted]);
    } catch (error) {
      if (signal?.aborted) throw error;
      const commands = { adminCommand: this.#adminCommand(), againCommand: this.#againCommand() };
      throw failureOf(error, { ...what, ...commands, ...this.where, steps: this.#steps });
    } finally {
      over.abort();
    }
  }

  #adminCommand(): string {
    const policies = (this.request.executionPolicies ?? []).flatMap((policy) => ['--execution-policy', policy]);
    return this.#command(policies);
  }

  /** What the same person types to go on. */
  #againCommand(): string {
    return this.#command();
  }

  #command(more: readonly string[] = []): string {
    return deployCommand(this.where, { choices: this.choices, asked: this.request.choices }, more);
  }

  /** Interrupted: what state it is in, and how to go on. */
  interrupted(cause: unknown): RawcloudError {
    const again = this.#againCommand();
    if (this.#stack === undefined) {
      return new RawcloudError('E_ABORTED', 'it was interrupted; nothing was changed in the account', { remedy: `Again: ${again}`, cause });
    }
    const last = this.#steps.at(-1);
    if (!last) {
      return new RawcloudError(
        'E_ABORTED',
        `it was interrupted before anything was seen of the stack ${this.#stack}, which may be under way`,
        {
          remedy: `It goes on where it is: ${again}`,
          cause,
        },
      );
    }
    const how = `${last.done}${last.total === undefined ? '' : ` of ${last.total}`} steps done`;
    return new RawcloudError('E_ABORTED', `it was interrupted; CloudFormation goes on by itself with the stack ${this.#stack} (${how})`, {
      remedy: `To wait for its end, and see that all is well: ${again}`,
      data: { stack: this.#stack, done: last.done },
      cause,
    });
  }

  /** A refusal says what an administrator types. */
  handedOn(error: unknown): unknown {
    if (!(error instanceof RawcloudError) || error.code !== 'E_PERMISSION' || 'command' in error.data) return error;
    const command = this.#adminCommand();
    return new RawcloudError('E_PERMISSION', error.message, {
      remedy: `Deploying takes an administrator, once for each account and region (jobs need far less). What to type: ${command}`,
      data: { ...error.data, command },
      cause: error,
    });
  }
}
