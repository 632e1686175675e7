import { Stack, Token } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct, IConstruct } from 'constructs';
import { bucketKeyStatement, KEY_ACTIONS, vmRolePath } from '../contract';
import type { LookFacts } from '../contract';
import type { VmKind } from './i-raw-cloud';
import { createLaunchTemplate } from './launch-template';
import { createInstanceProfile, createVmRole } from './vm-role';

/** The scaffolding of another stack, as far as a job's role and template need to know it. */
export interface OtherStack {
  readonly scaffold: string;
  readonly bucket: IBucket;
  readonly securityGroupIds: string[];
  readonly vmTags: Readonly<Record<string, string>>;
  readonly allowExec: boolean;
}

/**
 * The VMs of a job in a stack other than its scaffolding's. Nothing there can name the role, for it would have to wait for
 * this stack while this one waits for it: the role lies where all roles are the scaffolding's VMs, the template has its tag.
 */
export function addForeignVmKind(scope: Construct, description: string, { scaffold, bucket, allowExec, ...rest }: OtherStack): VmKind {
  const { region } = Stack.of(scope);
  const role = createVmRole(scope, bucket.bucketArn, { description, path: vmRolePath(region, scaffold), allowExec });
  role.addToPolicy(PolicyStatement.fromJson(bucketKeyStatement(lookFacts(scope, scaffold, bucket), KEY_ACTIONS.write)));
  const instanceProfileArn = createInstanceProfile(scope, role).instanceProfileArn;
  const common = { name: scaffold, bucket: bucket.bucketName, region, roleId: role.roleId, instanceProfileArn, ...rest };
  return { role, roleId: role.roleId, template: createLaunchTemplate(scope, common) };
}

/** Whether it is in the stack of the scaffolding. */
export function isHere(scope: IConstruct, cloud: IConstruct): boolean {
  return Stack.of(scope) === Stack.of(cloud);
}

/** What looking at jobs is narrowed to, in the stack of `scope`. */
export function lookFacts(scope: IConstruct, scaffold: string, bucket: IBucket): LookFacts {
  const { partition, account, region } = Stack.of(scope);
  return { partition: `arn:${partition}`, account, region, scaffold, bucketArn: bucket.bucketArn };
}

/** The launch function reads buckets of `cdk bootstrap` only. @throws for another that is known */
export function checkForeignAssets({ bucketName }: IBucket): void {
  if (Token.isUnresolved(bucketName) || /^cdk-.+-assets-/.test(bucketName)) return;
  throw new Error(
    `rawcloud: the assets of this app lie in the bucket '${bucketName}'; a job in a stack other than its scaffolding's needs them in a bucket of cdk bootstrap, 'cdk-<qualifier>-assets-<account>-<region>'. Take the DefaultStackSynthesizer, or put the job into the stack of its RawCloud.`,
  );
}

/** @throws when the two stacks are not known to be in one place */
export function checkSamePlace(job: IConstruct, cloud: IConstruct): void {
  const [here, there] = [Stack.of(job), Stack.of(cloud)];
  for (const part of ['region', 'account'] as const) {
    if (here[part] === there[part] || Token.isUnresolved(here[part]) || Token.isUnresolved(there[part])) continue;
    throw new Error(
      `rawcloud: the job '${job.node.path}' is in the ${part} ${here[part]}, its RawCloud in ${there[part]}; allowed is the same one. Deploy a RawCloud there, too.`,
    );
  }
}

export function unshared(job: IConstruct, cloud: IConstruct): Error {
  return new Error(
    `rawcloud: the job '${job.node.path}' is in the stack '${Stack.of(job).node.path}', its RawCloud in '${Stack.of(cloud).node.path}', and each would have to wait for the other; give the RawCloud 'shared: true', or put the job into its stack`,
  );
}

/** A queue as a rule of another stack names it: its policy cannot name that rule, for it would have to wait for that stack. */
export function foreignLetters(rule: IConstruct, { queueArn }: IQueue): IQueue {
  const id = 'RawCloudDeadLetters';
  return (rule.node.tryFindChild(id) as IQueue | undefined) ?? Queue.fromQueueArn(rule, id, queueArn);
}
