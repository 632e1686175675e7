import { Annotations, Fn, Stack, Token } from 'aws-cdk-lib';
import { Connections, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { OnEventOptions, Rule } from 'aws-cdk-lib/aws-events';
import { Grant, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IGrantable, IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { ParameterValueType, StringListParameter, StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import {
  bucketKeyStatement,
  checkScaffoldName,
  KEY_ACTIONS,
  readStatements,
  sharedParameterName,
  sharedPolicyName,
  stopStatements,
} from '../contract';
import type { PolicyStatement, SharedFact, SharedGrant } from '../contract';
import { attach, isUserOrGroup } from './attach';
import { onLeftovers } from './bus-rules';
import { grantStatements, SESSIONS } from './give';
import type { IRawCloud, JobHost } from './i-raw-cloud';
import { limitsOf } from './limits';
import type { LimitProps } from './limits';
import { addForeignVmKind, checkForeignAssets, lookFacts } from './other-stacks';
import { TakenNames } from './taken-names';
import { checkVmTags } from './vm-tags';

/** What there is to know of a scaffolding that another stack or app has made, with `shared`, in the same account and region. */
export interface RawCloudAttributes extends LimitProps {
  /** Name of the scaffolding. */
  readonly name: string;

  /** Name of its bucket. */
  readonly bucketName: string;

  /** ARN of its launch function. */
  readonly launchFunctionArn: string;

  /** ARN of the queue with its dead letters. */
  readonly deadLettersArn: string;

  /** Ids of the security groups of its VMs, at least one. */
  readonly securityGroupIds: string[];

  /** Its `vmTags`, so that a job which says otherwise fails at synth. @default - held when the job runs */
  readonly vmTags?: { [key: string]: string };

  /** Its `allowExec`, so that `grantRun` gives it from here, and the VMs of jobs from here can be entered. @default false */
  readonly allowExec?: boolean;
}

/** The attributes, from the parameters that the scaffolding publishes; CloudFormation reads them at each deployment. */
export function publishedAttributes(scope: Construct, name: string): RawCloudAttributes {
  checkName(name);
  const text = (fact: SharedFact): string => StringParameter.valueForStringParameter(scope, sharedParameterName(name, fact));
  const groups = sharedParameterName(name, 'security-groups');
  return {
    name,
    get bucketName() {
      return text('bucket');
    },
    get launchFunctionArn() {
      return text('launch-function');
    },
    get deadLettersArn() {
      return text('dead-letters');
    },
    get securityGroupIds() {
      return StringListParameter.valueForTypedListParameter(scope, groups, ParameterValueType.STRING);
    },
  };
}

/** @throws for attributes that cannot be those of a scaffolding */
export function checkAttributes(attributes: RawCloudAttributes): RawCloudAttributes {
  const { securityGroupIds } = attributes;
  if (Token.isUnresolved(securityGroupIds) || securityGroupIds.length > 0) return attributes;
  throw new Error("rawcloud: 'securityGroupIds' is empty; give the ids of the groups that the scaffolding's VMs have");
}

function checkName(name: string): void {
  if (Token.isUnresolved(name)) throw new Error("rawcloud: 'name' of a scaffolding must be known before the deployment; give plain text");
  checkScaffoldName(name);
}

/**
 * A scaffolding that another stack or app has made. What is known of it is asked for when it is needed, so that an app has
 * no parameter that it does not use.
 */
export class ImportedRawCloud extends Construct implements IRawCloud {
  readonly scaffoldName: string;
  /** @internal */
  readonly jobHost: JobHost;

  readonly #attributes: RawCloudAttributes;
  #bucket: IBucket | undefined;
  #launchFunction: IFunction | undefined;
  #deadLetters: IQueue | undefined;
  #connections: Connections | undefined;

  constructor(scope: Construct, id: string, attributes: RawCloudAttributes) {
    super(scope, id);
    const { name, vmTags = {}, allowExec = false } = attributes;
    checkName(name);
    this.scaffoldName = name;
    this.#attributes = attributes;
    const limits = limitsOf(attributes);
    const names = new TakenNames(name);
    checkVmTags(vmTags);
    this.jobHost = {
      demands: { name, vmTags, ...(limits ? { limits } : {}) },
      addVmKind: (job, description) =>
        addForeignVmKind(job, description, {
          scaffold: name,
          bucket: this.bucket,
          securityGroupIds: attributes.securityGroupIds,
          vmTags,
          allowExec,
        }),
      allowAssetsOf: checkForeignAssets,
      deadLettersOf: () => this.deadLetters,
      takeName: (kind, taken, by) => names.take(kind, taken, by),
    };
  }

  get bucket(): IBucket {
    return (this.#bucket ??= Bucket.fromBucketName(this, 'Bucket', this.#attributes.bucketName));
  }

  get launchFunction(): IFunction {
    return (this.#launchFunction ??= LambdaFunction.fromFunctionAttributes(this, 'Launch', {
      functionArn: this.#attributes.launchFunctionArn,
      sameEnvironment: true,
    }));
  }

  get deadLetters(): IQueue {
    return (this.#deadLetters ??= Queue.fromQueueArn(this, 'DeadLetters', this.#attributes.deadLettersArn));
  }

  /** By one of its groups: each VM is in all of them. */
  get connections(): Connections {
    if (this.#connections) return this.#connections;
    const groups = this.#attributes.securityGroupIds;
    const first = Token.isUnresolved(groups) ? Fn.select(0, groups) : groups[0]!;
    return (this.#connections = new Connections({ securityGroups: [SecurityGroup.fromSecurityGroupId(this, 'VmConnections', first)] }));
  }

  grantRun(grantee: IGrantable): Grant {
    return this.#attach(grantee);
  }

  grantRead(grantee: IGrantable): Grant {
    const facts = lookFacts(this, this.scaffoldName, this.bucket);
    return this.#grant(grantee, 'read', [...readStatements(facts), bucketKeyStatement(facts, KEY_ACTIONS.read)]);
  }

  grantStop(grantee: IGrantable): Grant {
    const facts = lookFacts(this, this.scaffoldName, this.bucket);
    return this.#grant(grantee, 'stop', [...stopStatements(facts), bucketKeyStatement(facts, KEY_ACTIONS.write)]);
  }

  onLeftoversFound(id: string, options: OnEventOptions = {}): Rule {
    return onLeftovers(this, id, this.scaffoldName, options);
  }

  /**
   * What running jobs takes depends on the scaffolding's templates, roles, groups, tags and limits, which change with it: so
   * it is the policies that it publishes, not a copy of what they say now.
   */
  #attach(grantee: IGrantable): Grant {
    const grants: readonly SharedGrant[] = this.#attributes.allowExec ? ['run', 'launch', 'exec'] : ['run', 'launch'];
    const policies = grants.map((grant) => this.#policy(grant));
    if (policies.every((policy) => attach(policy, grantee.grantPrincipal))) return grantStatements(grantee, [SESSIONS]);
    const names = grants.map((grant) => shown(this.#nameOf(grant))).join(' and ');
    const text = `The right to run jobs is the managed policies ${names}, and a principal of grantRun takes none from here; attach them to that by their names.`;
    Annotations.of(this).addWarningV2('rawcloud:grantRun', text);
    return Grant.drop(grantee, 'rawcloud: run jobs');
  }

  /** Within users and groups there is no room for several grants; those of other apps take no policies from here. */
  #grant(grantee: IGrantable, grant: SharedGrant, statements: readonly PolicyStatement[]): Grant {
    const { grantPrincipal } = grantee;
    const isAttached = isUserOrGroup(grantPrincipal) && attach(this.#policy(grant), grantPrincipal);
    return grantStatements(grantee, isAttached ? statements.slice(-1) : statements);
  }

  #policy(grant: SharedGrant): IManagedPolicy {
    const id = `${grant[0]!.toUpperCase()}${grant.slice(1)}Policy`;
    const known = this.node.tryFindChild(id) as IManagedPolicy | undefined;
    return known ?? ManagedPolicy.fromManagedPolicyName(this, id, this.#nameOf(grant));
  }

  #nameOf(grant: SharedGrant): string {
    return sharedPolicyName(this.scaffoldName, Stack.of(this).region, grant);
  }
}

function shown(name: string): string {
  return name.replaceAll(/\$\{Token\[AWS\.Region[^\]]*\]\}/g, '<region>');
}
