import { PrincipalPolicyFragment } from 'aws-cdk-lib/aws-iam';
import type { AddToPrincipalPolicyResult, Grant, IGrantable, IPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { throughBucket } from '../contract';

/** The key of a bucket. */
export interface BucketKey {
  readonly key: IKey;
  readonly bucketArn: string;
}

/**
 * Lets somebody use the key of a bucket for that bucket: whatever else it encrypts stays closed.
 * @param bucketKey @default - the bucket has none: nothing to do
 */
export function grantKey(bucketKey: BucketKey | undefined, grantee: IGrantable, actions: readonly string[]): Grant | undefined {
  return bucketKey?.key.grant(new OnlyThroughBucket(grantee.grantPrincipal, bucketKey.bucketArn), ...actions);
}

/** A principal whose statements hold for uses of a key through one bucket alone, in policies of its own and in the key's. */
class OnlyThroughBucket implements IPrincipal {
  readonly grantPrincipal: IPrincipal = this;
  readonly principalAccount?: string;
  readonly #principal: IPrincipal;
  readonly #bucketArn: string;

  constructor(principal: IPrincipal, bucketArn: string) {
    this.#principal = principal;
    this.#bucketArn = bucketArn;
    if (principal.principalAccount !== undefined) this.principalAccount = principal.principalAccount;
  }

  /** Managed policies have none. */
  get assumeRoleAction(): string {
    return this.#principal.assumeRoleAction;
  }

  get policyFragment(): PrincipalPolicyFragment {
    const { principalJson, conditions } = this.#principal.policyFragment;
    return new PrincipalPolicyFragment(principalJson, { ...conditions, ...throughBucket(this.#bucketArn) });
  }

  addToPolicy(statement: PolicyStatement): boolean {
    return this.addToPrincipalPolicy(statement).statementAdded;
  }

  addToPrincipalPolicy(statement: PolicyStatement): AddToPrincipalPolicyResult {
    statement.addConditions(throughBucket(this.#bucketArn));
    return this.#principal.addToPrincipalPolicy(statement);
  }
}
