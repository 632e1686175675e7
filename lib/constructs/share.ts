import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { StringListParameter, StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { SHARED_GRANTS, sharedParameterName } from '../contract';
import type { AccessFacts, SharedFact } from '../contract';
import type { Grants } from './grants';

export interface ShareProps {
  readonly facts: AccessFacts;
  readonly bucket: string;
  readonly launchFunction: string;
  readonly deadLetters: Queue;
  readonly securityGroups: string[];
  readonly grants: Grants;
}

/** Publishes what other stacks and apps need of the scaffolding, under names that they can tell. */
export function share(scope: Construct, { facts, grants, ...props }: ShareProps): void {
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
  for (const grant of SHARED_GRANTS) if (grant !== 'exec' || facts.exec) grants.policy(grant);
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
