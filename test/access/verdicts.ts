import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate';
import type { EvaluationResult, Simulation } from '@cloud-copilot/iam-simulate';
import type { PolicyStatement } from '../../lib/contract';
import { evaluate } from '../../lib/local/policy';
import type { AccessQuestion, Conditions } from '../../lib/local/policy';

export const ACCOUNT = '123456789012';

export interface Case {
  /** ARN. */
  readonly principal: string;
  readonly question: AccessQuestion;
  readonly identity: readonly PolicyStatement[];
  /** Of the bucket that the question is about. @default - none */
  readonly bucket?: readonly PolicyStatement[];
  /** Of the key that the question is about; it allows nothing by itself. @default - none */
  readonly key?: readonly PolicyStatement[];
}

/** Refused by a statement that denies, or because no statement allows it. */
export type Decision = 'allowed' | 'denied' | 'silent';

/** What our own evaluator says, by which the local cloud decides. */
export function ours({ question, identity, bucket = [] }: Case): Decision {
  const said = [evaluate(identity, question), evaluate(bucket, question)];
  return said.includes('denied') ? 'denied' : said.includes('allowed') ? 'allowed' : 'silent';
}

const ALL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

/** What an evaluator says that we did not write. @throws for a question that AWS would not know: an action, a kind of resource */
export async function theirs({ principal, question, identity, bucket, key }: Case): Promise<Decision> {
  const { action, resource, context } = question;
  const document = (Statement: readonly PolicyStatement[]) => ({
    Version: '2012-10-17',
    // IAM wants letters and digits, and each of them once.
    Statement: Statement.map(({ Sid: _sid, ...statement }) => renamed(statement)),
  });
  const simulation: Simulation = {
    request: {
      principal,
      action,
      resource: { resource: oneOf(resource), accountId: ACCOUNT },
      contextVariables: withNames(renamed(context)),
    },
    identityPolicies: [{ name: 'identity', policy: document(identity) }],
    serviceControlPolicies: [{ orgIdentifier: 'r-root', policies: [{ name: 'all', policy: ALL }] }],
    resourceControlPolicies: [],
    ...((bucket ?? key) ? { resourcePolicy: document(bucket ?? key ?? []) } : {}),
  };
  // Its table of resources does not know that AWS's own parameters and documents are of no account.
  if (/^arn:aws:ssm:[\w-]+::(parameter\/aws\/|document\/AWS-)/.test(resource)) return decision(runUnsafeSimulation(simulation, {}));
  const answer = await runSimulation(simulation, {});
  if (answer.resultType === 'error') throw new Error(`${action} of ${resource}: ${JSON.stringify(answer.errors)}`);
  if (answer.resultType !== 'single') throw new Error(`${action} of ${resource}: more than one answer`);
  return decision(answer.result.analysis.result);
}

export function decision(result: EvaluationResult): Decision {
  return result === 'Allowed' ? 'allowed' : result === 'ExplicitlyDenied' ? 'denied' : 'silent';
}

/** What a call makes has no name before; as `*` it would be a question about all there are. */
function oneOf(resource: string): string {
  return resource === '*' ? resource : resource.replace(/\*$/, 'not-made-yet');
}

const OF_BUCKET = /kms:EncryptionContext:aws:s3:arn/gi;

/** Of keys with a part of one's own choice it knows those with a slash alone: the one that S3 chooses goes by the name in AWS's table. */
function renamed<T extends object>(conditions: T): T {
  return JSON.parse(JSON.stringify(conditions).replaceAll(OF_BUCKET, 'kms:EncryptionContext:${EncryptionContextKey}')) as T;
}

function withNames(context: Conditions): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(context).map(([key, value]) => [key, typeof value === 'string' ? value : [...value]]));
}
