import { Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { StringListParameter, StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import {
  clientStatements,
  execStatements,
  KEY_ACTIONS,
  readStatements,
  sharedParameterName,
  sharedPolicyName,
  stopStatements,
} from '../contract';
import type { AccessFacts, PolicyStatement as Statement, SharedFact, SharedGrant } from '../contract';
import { SESSIONS } from './grants';

export interface ShareProps {
  readonly facts: AccessFacts;
  readonly bucket: string;
  readonly launchFunction: string;
  readonly deadLetters: Queue;
  readonly securityGroups: string[];
  readonly encryptionKey: IKey | undefined;
}

/** Publishes what other stacks and apps need of the scaffolding, under names that they can tell. */
export function share(scope: Construct, { facts, encryptionKey, ...props }: ShareProps): void {
  const text = (fact: SharedFact, id: string, stringValue: string): void => {
    new StringParameter(scope, id, { parameterName: sharedParameterName(facts.scaffold, fact), description: WHY, stringValue });
  };
  text('bucket', 'SharedBucket', props.bucket);
  text('launch-function', 'SharedLaunchFunction', props.launchFunction);
  text('dead-letters', 'SharedDeadLetters', props.deadLetters.queueArn);
  new StringListParameter(scope, 'SharedSecurityGroups', {
    parameterName: sharedParameterName(facts.scaffold, 'security-groups'),
    description: WHY,
    stringListValue: props.securityGroups,
  });
  const { region } = Stack.of(scope);
  const key = (actions: readonly string[]): Statement[] =>
    encryptionKey ? [{ Sid: 'KeyOfBucket', Effect: 'Allow', Action: actions, Resource: encryptionKey.keyArn }] : [];
  const policy = (grant: SharedGrant, id: string, description: string, statements: readonly Statement[]): void => {
    new ManagedPolicy(scope, id, {
      managedPolicyName: sharedPolicyName(facts.scaffold, region, grant),
      description: `rawcloud: ${description}`,
      statements: statements.map((statement) => PolicyStatement.fromJson(statement)),
    });
  };
  policy('run', 'RunPolicy', 'run jobs, look at them and stop them', [...clientStatements(facts), SESSIONS, ...key(KEY_ACTIONS.write)]);
  // Apart, for a managed policy holds 6,144 characters.
  if (facts.exec) policy('exec', 'ExecPolicy', 'enter the VMs of running jobs', execStatements(facts));
  policy('read', 'ReadPolicy', 'look at jobs', [...readStatements(facts), ...key(KEY_ACTIONS.read)]);
  policy('stop', 'StopPolicy', 'look at jobs and stop them', [...stopStatements(facts), ...key(KEY_ACTIONS.write)]);
  takeLettersOfRules(props.deadLetters, facts);
}

const WHY = 'rawcloud: of its scaffolding, for other stacks';

/** A rule of another stack cannot be named here: any of the account's may leave what it could not deliver. */
function takeLettersOfRules(queue: Queue, { partition, account, region }: AccessFacts): void {
  queue.addToResourcePolicy(
    new PolicyStatement({
      sid: 'RulesOfOtherStacks',
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnLike: { 'aws:SourceArn': `${partition}:events:${region}:${account}:rule/*` },
      },
    }),
  );
}
