import { Grant, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IGrantable, IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { PolicyStatement as Statement } from '../contract';
import { attach } from './attach';

/** Long-term keys are exchanged for a session before they travel with a job. */
export const SESSIONS: Statement = { Sid: 'Sessions', Effect: 'Allow', Action: 'sts:GetSessionToken', Resource: '*' };

/**
 * Adds statements to the policies of a principal, as they stand, but for their names: IAM refuses a policy with one twice, as it would
 * have with two grants, or those of two scaffoldings.
 * @param useKey lets it use the key of the bucket. @default - the bucket has none
 * @returns the grant of the last one; one that fails `assertSuccess` when the principal takes none
 */
export function grantStatements(
  grantee: IGrantable,
  statements: readonly Statement[],
  useKey?: (grantee: IGrantable) => Grant | undefined,
): Grant {
  const all = statements.map(({ Sid: _sid, ...statement }) => PolicyStatement.fromJson(statement));
  const last = all.pop()!;
  if (all.some((statement) => !grantee.grantPrincipal.addToPrincipalPolicy(statement).statementAdded)) {
    return Grant.drop(grantee, 'rawcloud: access to jobs');
  }
  useKey?.(grantee);
  const conditions = last.conditions as Record<string, Record<string, unknown>>;
  return Grant.addToPrincipal({ grantee, actions: last.actions, resourceArns: last.resources, conditions });
}

/**
 * Gives managed policies to a principal.
 * @param own a statement of theirs, which the principal has itself as well: the CDK knows no grant without one
 */
export function grantPolicies(grantee: IGrantable, policies: readonly IManagedPolicy[], own: Statement): Grant {
  if (policies.some((policy) => !attach(policy, grantee.grantPrincipal))) return Grant.drop(grantee, 'rawcloud: access to jobs');
  return grantStatements(grantee, [own]);
}
