import { Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { clientPolicies, execStatements, KEY_ACTIONS, readStatements, runStatements, sharedPolicyName, stopStatements } from '../contract';
import type { AccessFacts, PolicyStatement as Statement, SharedGrant } from '../contract';
import { isUserOrGroup } from './attach';
import { grantKey } from './bucket-key';
import type { BucketKey } from './bucket-key';
import { grantPolicies, grantStatements, SESSIONS } from './give';

export interface GrantsProps {
  readonly facts: AccessFacts;
  readonly bucketKey: BucketKey | undefined;
  /** Whether they have names that others can tell. */
  readonly named: boolean;
}

interface Kind {
  readonly id: string;
  readonly description: string;
  readonly statements: (facts: AccessFacts) => readonly Statement[];
  /** What is done with the key of the bucket. */
  readonly key?: readonly string[];
}

const KINDS: Readonly<Record<SharedGrant, Kind>> = {
  run: {
    id: 'RunPolicy',
    description: 'run jobs, look at them and stop them, together with the right to launch',
    statements: (facts) => [...clientPolicies(facts).rest, SESSIONS],
    key: KEY_ACTIONS.write,
  },
  launch: { id: 'LaunchPolicy', description: 'launch the VMs of jobs', statements: (facts) => clientPolicies(facts).launch },
  exec: { id: 'ExecPolicy', description: 'enter the VMs of running jobs', statements: execStatements },
  read: { id: 'ReadPolicy', description: 'look at jobs', statements: readStatements, key: KEY_ACTIONS.read },
  stop: { id: 'StopPolicy', description: 'look at jobs and stop them', statements: stopStatements, key: KEY_ACTIONS.write },
};

/**
 * The grants of a scaffolding: as statements for roles, and as managed policies for users and groups, whose own policies are too short
 * for them, and for other stacks. Each of those is made when it is first asked for.
 */
export class Grants {
  readonly #scope: Construct;
  readonly #props: GrantsProps;

  constructor(scope: Construct, props: GrantsProps) {
    this.#scope = scope;
    this.#props = props;
  }

  run(grantee: IGrantable): Grant {
    const { facts } = this.#props;
    // One managed policy would exceed the 6,144 characters that IAM takes.
    return this.#give(grantee, facts.exec ? ['run', 'launch', 'exec'] : ['run', 'launch'], [...runStatements(facts), SESSIONS]);
  }

  read(grantee: IGrantable): Grant {
    return this.#give(grantee, ['read'], readStatements(this.#props.facts));
  }

  stop(grantee: IGrantable): Grant {
    return this.#give(grantee, ['stop'], stopStatements(this.#props.facts));
  }

  #give(grantee: IGrantable, managed: readonly [SharedGrant, ...SharedGrant[]], statements: readonly Statement[]): Grant {
    if (isUserOrGroup(grantee.grantPrincipal)) {
      const policies = managed.map((grant) => this.policy(grant));
      return grantPolicies(grantee, policies, statements.at(-1)!);
    }
    const { bucketKey } = this.#props;
    const { key = [] } = KINDS[managed[0]];
    return grantStatements(grantee, statements, (one) => grantKey(bucketKey, one, key));
  }

  policy(grant: SharedGrant): ManagedPolicy {
    const { id, description, statements, key } = KINDS[grant];
    const made = this.#scope.node.tryFindChild(id) as ManagedPolicy | undefined;
    if (made) return made;
    const { facts, bucketKey, named } = this.#props;
    const policy = new ManagedPolicy(this.#scope, id, {
      ...(named ? { managedPolicyName: sharedPolicyName(facts.scaffold, Stack.of(this.#scope).region, grant) } : {}),
      description: `rawcloud: ${description}`,
      statements: statements(facts).map((statement) => PolicyStatement.fromJson(statement)),
    });
    if (key) grantKey(bucketKey, policy, key);
    return policy;
  }
}
