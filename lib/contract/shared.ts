import { checkScaffoldName } from './scaffold';

/**
 * What a scaffolding publishes for other stacks and apps (`shared`): each fact a parameter of its own, since CloudFormation
 * cannot take a text apart, and each grant a managed policy under a name that anybody can tell.
 */
export const SHARED_FACTS = ['bucket', 'launch-function', 'dead-letters', 'security-groups'] as const;
export type SharedFact = (typeof SHARED_FACTS)[number];

/** Name of the SSM parameter of a fact; `security-groups` is a StringList. */
export function sharedParameterName(scaffold: string, fact: SharedFact): string {
  return `/rawcloud/${checkScaffoldName(scaffold)}/shared/${fact}`;
}

/** To run jobs takes `run` and `launch`, for one managed policy would exceed what IAM takes; `exec` where that is allowed. */
export const SHARED_GRANTS = ['run', 'launch', 'exec', 'read', 'stop'] as const;
export type SharedGrant = (typeof SHARED_GRANTS)[number];

/** Name of the managed policy of a grant. Policies are the whole account's, scaffoldings of one name may be in several regions. */
export function sharedPolicyName(scaffold: string, region: string, grant: SharedGrant): string {
  return `rawcloud-${checkScaffoldName(scaffold)}-${region}-${grant}`;
}
