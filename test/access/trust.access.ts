import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { mapBounded } from '../../lib/contract';
import type { PolicyStatement } from '../../lib/contract';
import { evaluate } from '../../lib/local/policy';
import type { Conditions } from '../../lib/local/policy';
import { resolve } from '../constructs/resolve';
import { teamApp } from '../security/apps';
import type { Resource } from './apps';
import { ACCOUNT, decision } from './verdicts';
import type { Decision } from './verdicts';

/** aws-cdk-lib takes seconds to load; the first capture fetches Node. */
jest.setTimeout(600_000);

const REGION = 'eu-central-1';

interface TrustStatement extends Omit<PolicyStatement, 'Principal' | 'Resource'> {
  readonly Principal: Readonly<Record<string, string | readonly string[]>>;
}

interface Role {
  /** Logical id without its hash, and its stack. */
  readonly name: string;
  readonly arn: string;
  readonly trust: readonly TrustStatement[];
}

/** Somebody who asks to become a role. */
interface Asker {
  /** A service, or an ARN. */
  readonly principal: string;
  readonly what: string;
  readonly context?: Conditions;
}

let roles: Role[];
beforeAll(() => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'trust-'));
  const { stacks } = teamApp(directory).synth() as {
    readonly stacks: readonly { readonly stackName: string; readonly template: { readonly Resources: Record<string, Resource> } }[];
  };
  roles = stacks.flatMap(({ stackName, template }) =>
    Object.entries(template.Resources)
      .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
      .map(([id, { Properties }]) => {
        const document = resolve(Properties['AssumeRolePolicyDocument'], nameOf) as { readonly Statement: readonly TrustStatement[] };
        const name = `${stackName}/${id.replace(/[0-9A-F]{6,8}$/, '')}`;
        return { name, arn: `arn:aws:iam::${ACCOUNT}:role/${id}`, trust: document.Statement };
      }),
  );
  // Templates are read when they are asked for.
  rmSync(directory, { recursive: true });
});

function nameOf(reference: string): string {
  const known: Record<string, string> = { 'AWS::Partition': 'aws', 'AWS::Region': REGION, 'AWS::AccountId': ACCOUNT };
  return known[reference] ?? `arn:aws:none:::${reference}`;
}

/** Where a schedule is that EventBridge Scheduler acts for. */
const schedule = (account: string): Conditions => ({
  'aws:sourceaccount': account,
  'aws:sourcearn': `arn:aws:scheduler:${REGION}:${account}:schedule-group/default`,
});

/** Each role by what it is for, and the one who may become it. */
const MAY: readonly { readonly role: RegExp; readonly asker: Asker }[] = [
  { role: /^(Team|Full|Guests)\/\w*VmRole$/, asker: { principal: 'ec2.amazonaws.com', what: 'EC2, for a VM' } },
  { role: /^(Team|Full)\/RawCloud(Launch|Reaper)Role$/, asker: { principal: 'lambda.amazonaws.com', what: 'Lambda, for a function' } },
  {
    role: /^Team\/SchedulerRoleForTarget/,
    asker: {
      principal: 'scheduler.amazonaws.com',
      what: 'EventBridge Scheduler, for a schedule of the account',
      context: schedule(ACCOUNT),
    },
  },
];

const OTHER_ACCOUNT = '999988887777';
const session = (role: string): string => `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/somebody`;

/** All who may become none but perhaps their own. */
const ASKERS: readonly Asker[] = [
  ...MAY.map(({ asker }) => asker),
  ...['ecs-tasks', 'ssm', 'events', 'states', 'codebuild', 'cloudformation', 'spot', 's3', 'sagemaker'].map((service) => ({
    principal: `${service}.amazonaws.com`,
    what: service,
  })),
  { principal: 'scheduler.amazonaws.com', what: 'EventBridge Scheduler, for another account', context: schedule(OTHER_ACCOUNT) },
  { principal: `arn:aws:iam::${ACCOUNT}:user/administrator`, what: 'an administrator of the account' },
  { principal: session('Client'), what: 'who runs jobs' },
  { principal: session('RawCloudLaunchRole'), what: 'the launch function' },
  { principal: session('RawCloudReaperRole'), what: 'the reaper' },
  { principal: session('RawCloudVmRole'), what: 'a VM' },
  { principal: session('NightlyJobVmRole'), what: 'a VM of a job' },
  { principal: `arn:aws:iam::${OTHER_ACCOUNT}:root`, what: 'another account' },
  { principal: `arn:aws:iam::${OTHER_ACCOUNT}:user/somebody`, what: 'somebody of another account' },
];

const isOurs = ({ principal }: Asker): boolean => principal.includes(`::${ACCOUNT}:`);
const ALL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

/** By the local cloud's evaluator, which knows no principals: those are compared here. */
function ours({ arn, trust }: Role, { principal, context = {} }: Asker): Decision {
  const named = trust.filter(({ Principal }) => Object.values(Principal).some((names) => [names].flat().includes(principal)));
  const statements = named.map(({ Principal: _who, ...statement }) => ({ ...statement, Resource: '*' }));
  return evaluate(statements, { action: 'sts:AssumeRole', resource: arn, context });
}

/** By the one that we did not write. Whoever can have policies may do everything, as far as those go. */
async function theirs({ arn, trust }: Role, asker: Asker): Promise<Decision> {
  const answer = await runSimulation(
    {
      request: {
        principal: asker.principal,
        action: 'sts:AssumeRole',
        resource: { resource: arn, accountId: ACCOUNT },
        contextVariables: { ...asker.context } as Record<string, string>,
      },
      identityPolicies: asker.principal.startsWith('arn:') ? [{ name: 'identity', policy: ALL }] : [],
      serviceControlPolicies: isOurs(asker) ? [{ orgIdentifier: 'r-root', policies: [{ name: 'all', policy: ALL }] }] : [],
      resourceControlPolicies: [],
      resourcePolicy: { Version: '2012-10-17', Statement: trust },
    },
    {},
  );
  if (answer.resultType === 'error') throw new Error(`${asker.what} as ${arn}: ${JSON.stringify(answer.errors)}`);
  if (answer.resultType !== 'single') throw new Error(`${asker.what} as ${arn}: more than one answer`);
  return decision(answer.result.analysis.result);
}

const ownerOf = ({ name }: Role): Asker | undefined => {
  const found = MAY.filter(({ role }) => role.test(name));
  return found.length === 1 ? found[0]!.asker : undefined;
};

async function both(role: Role, asker: Asker): Promise<Decision> {
  const said = { ours: ours(role, asker), theirs: await theirs(role, asker) };
  if (said.ours !== said.theirs) throw new Error(`${asker.what} as ${role.name}: ${JSON.stringify(said)}`);
  return said.ours;
}

test('every role of the templates is for somebody, and there is one of each kind', () => {
  expect(roles.filter((role) => !ownerOf(role)).map(({ name }) => name)).toEqual([]);
  expect(MAY.filter(({ role }) => !roles.some(({ name }) => role.test(name)))).toEqual([]);
  expect(roles.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['Guests/GuestJobVmRole', 'Full/RawCloudVmRole', 'Team/NightlyJobVmRole']),
  );
});

test('a role is what it is for, as both evaluators say', async () => {
  const decisions = await mapBounded(roles, 8, async (role) => [role.name, await both(role, ownerOf(role)!)] as const);
  expect(decisions.filter(([, said]) => said !== 'allowed')).toEqual([]);
});

test('nobody else becomes it, whatever he is allowed himself, as both evaluators say', async () => {
  const cases = roles.flatMap((role) => ASKERS.filter((asker) => asker !== ownerOf(role)).map((asker) => ({ role, asker })));
  const wrong = await mapBounded(cases, 8, async ({ role, asker }) => {
    const said = await both(role, asker).catch(String);
    return said === 'silent' ? [] : [`${asker.what} as ${role.name}: ${said}`];
  });
  expect(wrong.flat()).toEqual([]);
  process.stderr.write(`trust: ${roles.length} roles, each of them for one; ${cases.length} who may not\n`);
});

test('trust says nothing but that: no statement of it is for more than one, or allows more than to become the role', () => {
  for (const { name, trust } of roles) {
    expect([name, trust.map(({ Effect, Action }) => [Effect, Action])]).toEqual([name, [['Allow', 'sts:AssumeRole']]]);
    expect(Object.values(trust[0]!.Principal).flat()).toHaveLength(1);
  }
});
