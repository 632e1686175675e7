import { DEFAULT_SCAFFOLD_NAME, SCAFFOLD_STACK_DESCRIPTION } from '../../../lib/contract';
import { choicesMetadata, RawcloudError } from '../../../lib/contract';
import type {
  Assembly,
  CdkPackages,
  CdkTools,
  Clock,
  DeploymentLook,
  FoundStack,
  FoundSubnet,
  Scaffold,
  ScaffoldChoices,
  StackState,
  StackStep,
  Template,
} from '../../../lib/contract';
import type { AskedChoices, DeployDeps, DeployEvent, DeployRequest, Question } from '../../../lib/runtime/deploy/deps';
import { deploy } from '../../../lib/runtime/deploy/deploy';

export const REGION = 'eu-west-1';
export const PUBLIC: FoundSubnet = { id: 'subnet-00000001', zone: 'eu-west-1a', public: true, freeAddresses: 100 };

export const SCAFFOLD: Scaffold = {
  v: 1,
  name: DEFAULT_SCAFFOLD_NAME,
  account: '123456789012',
  region: REGION,
  bucket: 'bucket-1',
  roleId: 'AROAEXAMPLEEXAMPLE123',
  launchTemplateId: 'lt-1',
  launchTemplateVersion: '1',
  securityGroupId: 'sg-1',
  zones: ['eu-west-1a'],
  version: '0.0.9',
};

/** What our app would make of choices: all that differs stands in one resource. */
export function templateFor(choices: ScaffoldChoices): Template {
  const Metadata = choicesMetadata(choices);
  const Resources = {
    RawCloudThing: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/rawcloud/thing', Value: JSON.stringify(choices) } },
  };
  return { ...(Metadata ? { Metadata } : {}), Resources };
}

/** CloudFormation keeps ASCII only. */
function asReturned(template: Template): Template {
  return JSON.parse(JSON.stringify(template).replace(/[^\x20-\x7e]/g, '?')) as Template;
}

/** A stack of ours in some state. */
export function stackIn(status: string): StackState {
  return { id: 'arn:stack/1', name: 'RawCloud', status, reason: '', description: SCAFFOLD_STACK_DESCRIPTION };
}

/**
 * An account, and a CDK that deploys into it: the template becomes the stack's. What is said in the steps that are given happens in
 * the middle; with `fails` the deployment ends with that.
 */
export class Account {
  /** Latest last; CloudFormation shows one a look, the last for good. */
  stacks: (StackState | undefined)[] = [undefined];
  template: Template | undefined;
  scaffold: Scaffold | undefined;
  owner: FoundStack | undefined;
  bootstrapped = true;
  defaultVpc: string | undefined | RawcloudError = 'vpc-00000001';
  subnets: Readonly<Record<string, readonly FoundSubnet[]>> = { 'vpc-00000001': [PUBLIC] };
  buckets: Readonly<Record<string, string | RawcloudError>> = {};
  identityFails: Error | undefined;
  /** The end of the name of a role of the CDK's that may not be taken on. */
  deniedRole: string | undefined;
  roleFails = new RawcloudError('E_PERMISSION', 'sts:AssumeRole was denied');
  readonly rolesTried: string[] = [];
  installed = true;
  steps: readonly StackStep[] = [];
  fails: Error | undefined;
  /** Called after the steps; the deployment lasts as long. */
  meanwhile: () => Promise<void> = async () => undefined;
  answer: (question: Question) => boolean = () => true;

  /** What was done to account and machine, in order. */
  readonly done: string[] = [];
  readonly events: DeployEvent[] = [];
  readonly questions: Question[] = [];
  slept = 0;

  async deploy(choices: AskedChoices = {}, more: Partial<DeployRequest> = {}, signal?: AbortSignal): Promise<void> {
    const request: DeployRequest = {
      name: DEFAULT_SCAFFOLD_NAME,
      choices,
      confirm: async (question) => {
        this.questions.push(question);
        return this.answer(question);
      },
      onEvent: async (event) => void this.events.push(event),
      ...more,
    };
    await deploy(this.#deps(), request, signal);
  }

  /** As after a deployment with those choices. */
  deployed(choices: ScaffoldChoices, status = 'UPDATE_COMPLETE'): this {
    this.stacks = [stackIn(status)];
    this.template = templateFor(choices);
    this.scaffold = SCAFFOLD;
    return this;
  }

  get types(): string[] {
    return this.events.map(({ type }) => type);
  }

  event<T extends DeployEvent['type']>(type: T): Extract<DeployEvent, { type: T }> {
    return this.events.find((event): event is Extract<DeployEvent, { type: T }> => event.type === type)!;
  }

  #deps(): DeployDeps {
    const clock: Clock = { now: () => 0, sleep: async () => void (this.slept += 1) };
    return {
      look: this.#look(),
      packages: this.#packages(),
      version: '0.1.0',
      clock,
      examine: async function* () {
        yield { id: 'identity', state: 'ok', text: 'somebody' };
        yield { id: 'reaper', state: 'warning', text: 'no pass yet' };
        for (const id of ['scaffolding', 'bucket', 'permissions', 'images'] as const) yield { id, state: 'ok', text: 'well' };
      },
    };
  }

  #look(): DeploymentLook {
    return {
      region: REGION,
      identity: async () => {
        if (this.identityFails) throw this.identityFails;
        return { account: '123456789012', arn: 'arn:aws:iam::123456789012:user/dev' };
      },
      parameter: async (name) => {
        if (name.startsWith('/cdk-bootstrap/')) return this.bootstrapped ? '31' : undefined;
        return this.scaffold && JSON.stringify(this.scaffold);
      },
      defaultVpc: async () => {
        if (this.defaultVpc instanceof RawcloudError) throw this.defaultVpc;
        return this.defaultVpc;
      },
      subnets: async ({ vpcId }) => [...(this.subnets[vpcId] ?? [])],
      bucketRegion: async (name) => {
        const found = this.buckets[name] ?? new RawcloudError('E_AWS_REQUEST', `there is no bucket ${name}`);
        if (typeof found === 'string') return found;
        throw found;
      },
      stack: async () => (this.stacks.length > 1 ? this.stacks.shift() : this.stacks[0]),
      template: async () => asReturned(this.template!),
      tryRole: async (arn) => {
        this.rolesTried.push(arn);
        if (this.deniedRole !== undefined && arn.includes(this.deniedRole)) throw this.roleFails;
      },
      stackOf: async () => this.owner,
    };
  }

  #packages(): CdkPackages {
    return {
      packages: { 'aws-cdk-lib': '2.0.0' },
      directory: '/cache/cdk',
      isThere: async () => this.installed,
      install: async () => void this.done.push('install'),
      open: async () => this.#cdk(),
    };
  }

  #cdk(): CdkTools {
    const follow = async (what: string, onStep: (step: StackStep) => Promise<void>): Promise<void> => {
      this.done.push(what);
      for (const step of this.steps) await onStep(step);
      await this.meanwhile();
      if (this.fails) throw this.fails;
    };
    return {
      synthesize: async (_name, choices) => ({ directory: '/out', stackName: 'RawCloud', template: templateFor(choices) }),
      changes: (before) => [{ id: 'RawCloudThing', type: 'AWS::SSM::Parameter', action: before ? 'update' : 'create', properties: [] }],
      bootstrap: (account, policies, onStep) => follow(`bootstrap ${account} ${policies.join(',')}`, onStep),
      deploy: async ({ template }: Assembly, onStep) => {
        await follow('deploy', onStep);
        this.template = template;
        this.stacks = [stackIn('CREATE_COMPLETE')];
      },
      close: async () => void this.done.push('close'),
    };
  }
}
