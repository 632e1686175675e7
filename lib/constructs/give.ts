import { Grant, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { PolicyStatement as Statement } from '../contract';

/** Long-term keys are exchanged for a session before they travel with a job. */
export const SESSIONS: Statement = { Sid: 'Sessions', Effect: 'Allow', Action: 'sts:GetSessionToken', Resource: '*' };

/**
 * Adds statements to the policies of a principal, as they stand.
 * @param useKey lets it use the key of the bucket. @default - the bucket has none
 * @returns the grant of the last one; one that fails `assertSuccess` when the principal takes none
 */
export function grantStatements(grantee: IGrantable, statements: readonly Statement[], useKey?: (grantee: IGrantable) => Grant): Grant {
  const all = statements.map((statement) => PolicyStatement.fromJson(statement));
  const last = all.pop()!;
  if (all.some((statement) => !grantee.grantPrincipal.addToPrincipalPolicy(statement).statementAdded)) {
    return Grant.drop(grantee, 'rawcloud: access to jobs');
  }
  useKey?.(grantee);
  const conditions = last.conditions as Record<string, Record<string, unknown>>;
  return Grant.addToPrincipal({ grantee, actions: last.actions, resourceArns: last.resources, conditions });
}
