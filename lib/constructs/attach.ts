import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IGroup, IManagedPolicy, IPrincipal, IRole, IUser } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/** Who has which policy already: IAM refuses a list that names one twice. */
const attached = new WeakMap<IManagedPolicy, WeakSet<IPrincipal>>();

/**
 * Gives a managed policy to a user, group or role.
 * @returns whether it takes one: those that are not of this app take none that is not of it either, and others than these take none at all
 */
export function attach(policy: IManagedPolicy, principal: IPrincipal): boolean {
  if (!isIdentity(principal)) return false;
  const isOurs = policy instanceof ManagedPolicy;
  const isTheirs = principal.node.defaultChild === undefined;
  if (isTheirs && !isOurs) return false;
  const holders = attached.get(policy) ?? new WeakSet();
  attached.set(policy, holders);
  if (holders.has(principal)) return true;
  holders.add(principal);
  if (isTheirs && isOurs && isUser(principal)) policy.attachToUser(principal);
  else if (isTheirs && isOurs && isGroup(principal)) policy.attachToGroup(principal);
  else principal.addManagedPolicy(policy);
  return true;
}

/**
 * Whether the policies within the principal must be short: 2,048 characters in all of a user's, 5,120 of a group's, where those of a
 * role may have 10,240. Source: IAM user guide, "IAM and AWS STS quotas".
 */
export function isUserOrGroup(principal: IPrincipal): boolean {
  return isIdentity(principal) && (isUser(principal) || isGroup(principal));
}

function isIdentity(principal: IPrincipal): principal is IUser | IGroup | IRole {
  return 'addManagedPolicy' in principal && Construct.isConstruct(principal);
}

function isUser(identity: IUser | IGroup | IRole): identity is IUser {
  return 'userName' in identity;
}

function isGroup(identity: IUser | IGroup | IRole): identity is IGroup {
  return 'groupName' in identity;
}
