import { Annotations, Aspects, Stack, Token } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { bucketStatements, ROOT } from '../contract';

export interface TakeBucketProps {
  /** ARNs of our VM roles, as a pattern: the policy is written before the roles are there. */
  readonly roleArns: string;
  readonly removalPolicy: RemovalPolicy | undefined;
}

/**
 * A bucket of somebody else's for our state. Only keys below `v1/` are ours. What it must have: our account and region, a
 * policy that keeps private grants for VMs. The policy of a bucket that an app makes gets the statement; of one that was
 * imported nobody here knows the policy, and to set it would be to replace it: the statement is told.
 * @throws when it lies elsewhere, as far as that can be seen
 */
export function takeBucket(scope: Construct, bucket: IBucket, { roleArns, removalPolicy }: TakeBucketProps): void {
  if (removalPolicy !== undefined) {
    throw new Error("rawcloud: 'removalPolicy' is that of a bucket which RawCloud makes; leave it out, or say it of 'bucket' itself");
  }
  checkPlace(scope, bucket);
  const statements = bucketStatements(bucket.bucketArn, { roleArns: [roleArns] });
  const added = statements.map((statement) => bucket.addToResourcePolicy(PolicyStatement.fromJson(statement)).statementAdded);
  if (added.includes(false)) {
    const text = `The policy of the bucket is not this app's to change. Add to it, so that nobody but VMs reads private grants: ${policyText(scope, bucket, roleArns)}. 'rawcloud doctor' tells whether it holds.`;
    Annotations.of(scope).addWarningV2('rawcloud:bucketPolicy', text);
  }
  remarkSettings(scope, bucket);
}

/** A bucket that was imported is taken to be where the stack is, unless it was said otherwise. */
function checkPlace(scope: Construct, { env }: IBucket): void {
  const stack = Stack.of(scope);
  for (const part of ['region', 'account'] as const) {
    if (Token.isUnresolved(env[part]) || Token.isUnresolved(stack[part]) || env[part] === stack[part]) continue;
    const why = part === 'region' ? 'every byte between them would be paid for' : 'clients refuse a bucket in foreign hands';
    throw new Error(
      `rawcloud: 'bucket' is in the ${part} ${env[part]}, the scaffolding in ${stack[part]}: ${why}; give a bucket of ${stack[part]}, or deploy the stack to ${env[part]}`,
    );
  }
}

function policyText(scope: Construct, { bucketName }: IBucket, roleArns: string): string {
  const { account, region } = Stack.of(scope);
  const plain = (text: string): string => {
    let shown = text;
    for (const [token, word] of [
      [account, '<account>'],
      [region, '<region>'],
      [bucketName, '<bucket>'],
    ] as const) {
      if (Token.isUnresolved(token)) shown = shown.replaceAll(token, word);
    }
    return shown.replaceAll(/\$\{Token\[AWS\.Partition[^\]]*\]\}/g, 'aws');
  };
  const [statement] = bucketStatements(`arn:aws:s3:::${bucketName}`, { roleArns: [roleArns] });
  return plain(JSON.stringify(statement));
}

/** Remarks on what does not go well with our keys, once all is known that the app says about the bucket. */
function remarkSettings(scope: Construct, bucket: IBucket): void {
  const cfn = bucket.node.defaultChild;
  if (!(cfn instanceof CfnBucket)) return;
  Aspects.of(bucket).add({
    visit(node) {
      if (node !== cfn) return;
      for (const [id, text] of remarksOn(cfn)) Annotations.of(scope).addWarningV2(`rawcloud:${id}`, text);
    },
  });
}

interface LifecycleRule {
  readonly id?: string;
  readonly status?: string;
  readonly prefix?: string;
  readonly abortIncompleteMultipartUpload?: object;
  readonly [action: string]: unknown;
}

/** Of what is current; versions that are not may go. */
const MOVES_OR_DELETES = ['expirationInDays', 'expirationDate', 'transition', 'transitions'];
/** Results, logs and the ledger are their owner's: nothing of ours needs them once a job has ended. */
const YOURS = ['jobs/', 'ledger/', 'index/'].map((directory) => `${ROOT}${directory}`);

function* remarksOn(cfn: CfnBucket): Iterable<readonly [id: string, text: string]> {
  const { versioningConfiguration, lifecycleConfiguration } = Stack.of(cfn).resolve({
    versioningConfiguration: cfn.versioningConfiguration,
    lifecycleConfiguration: cfn.lifecycleConfiguration,
  }) as { versioningConfiguration?: { status?: string }; lifecycleConfiguration?: { rules?: LifecycleRule[] } };
  const rules = (lifecycleConfiguration?.rules ?? []).filter(({ status }) => status === 'Enabled');
  if (versioningConfiguration?.status === 'Enabled') {
    yield [
      'bucketVersioned',
      `The bucket keeps old versions: deleted secrets of jobs stay readable as such for VMs of the scaffolding, and all that the reaper sweeps is paid for. Let a lifecycle rule expire old versions under '${ROOT}' after a day.`,
    ];
  }
  for (const rule of rules.filter(touchesContent)) {
    yield [
      'bucketLifecycle',
      `The bucket's lifecycle rule '${rule.id ?? rule.prefix ?? 'without a name'}' expires or moves what jobs rely on. Give it a prefix outside of '${ROOT}', or one of ${YOURS.map((prefix) => `'${prefix}'`).join(', ')}; the reaper sweeps the rest.`,
    ];
  }
  if (!rules.some((rule) => rule.abortIncompleteMultipartUpload && ROOT.startsWith(rule.prefix ?? ''))) {
    yield [
      'bucketUploads',
      `The bucket keeps what uploads that were broken off have sent, and that is paid for. Add a lifecycle rule with abortIncompleteMultipartUploadAfter of a day for '${ROOT}'.`,
    ];
  }
}

function touchesContent(rule: LifecycleRule): boolean {
  const { prefix = '' } = rule;
  const acts = MOVES_OR_DELETES.some((action) => rule[action] !== undefined);
  return acts && (ROOT.startsWith(prefix) || prefix.startsWith(ROOT)) && !YOURS.some((yours) => prefix.startsWith(yours));
}
