import { Duration, RemovalPolicy, Stack, Tags, Token } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Connections } from 'aws-cdk-lib/aws-ec2';
import type { OnEventOptions, Rule } from 'aws-cdk-lib/aws-events';
import { PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import type { Grant, IGrantable, IRole } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  checkScaffoldName,
  DEFAULT_SCAFFOLD_NAME,
  execDocumentName,
  KEY_ACTIONS,
  METRICS_VARIABLE,
  TAGS,
  VERSION,
  vmRolePath,
  vmRolesUnder,
} from '../contract';
import type { Limits, MetricName } from '../contract';
import { onLeftovers } from './bus-rules';
import { stateOf } from './bucket';
import { grantKey } from './bucket-key';
import { createExecDocument } from './exec-document';
import { accessFacts } from './access-facts';
import { FunctionPolicies } from './function-policies';
import { createLaunchFunction, createReaperFunction, tickReaper } from './functions';
import type { IRawCloud, JobHost, VmKind } from './i-raw-cloud';
import { checkAttributes, ImportedRawCloud, publishedAttributes } from './imported-cloud';
import type { RawCloudAttributes } from './imported-cloud';
import { JobPolicies } from './job-policies';
import { limitsOf } from './limits';
import { Grants } from './grants';
import { metricOf } from './metrics';
import { networkOf } from './network';
import type { Network } from './network';
import { checkForeignAssets, foreignLetters, isHere } from './other-stacks';
import type { RawCloudProps } from './raw-cloud-props';
import { createScaffoldParameter } from './scaffold-parameter';
import { checkOnlyOne } from './only-one';
import { share } from './share';
import { TakenNames } from './taken-names';
import { VmKinds } from './vm-kinds';
import { checkVmTags } from './vm-tags';
import { checkRegions } from './watched-regions';
import { zonesForJson } from './zones';

/**
 * The least that an account needs to run jobs: a bucket, the role of the VMs, a security group without ingress in the
 * default VPC, a launch template, the SSM parameter by which clients find them, and two functions: one runs deployed
 * jobs when EventBridge says so, one brings open jobs to their end and sees that nothing is left on. Nothing of it runs
 * between events, and nothing is paid for but what lies in the bucket and a few cents a month for the reaper.
 *
 * ```ts
 * new RawCloud(this, 'RawCloud');
 * ```
 */
export class RawCloud extends Construct implements IRawCloud {
  /**
   * The scaffolding of that name which another stack or app has deployed, with `shared`, in the account and region of this
   * stack. Nothing is looked up at synth: CloudFormation reads the parameters that it publishes, and a deployment
   * fails that finds none.
   *
   * ```ts
   * const cloud = RawCloud.fromName(this, 'RawCloud', 'team-a');
   * ```
   * @param name @default 'default'
   */
  static fromName(scope: Construct, id: string, name: string = DEFAULT_SCAFFOLD_NAME): IRawCloud {
    return new ImportedRawCloud(scope, id, publishedAttributes(scope, name));
  }

  /** As {@link fromName}, by what is known of it: for apps that shall not depend on its parameters. */
  static fromAttributes(scope: Construct, id: string, attributes: RawCloudAttributes): IRawCloud {
    return new ImportedRawCloud(scope, id, checkAttributes(attributes));
  }

  /** Name of the scaffolding. */
  readonly scaffoldName: string;

  /** All state: files, specs, logs, results, ledger. */
  readonly bucket: IBucket;

  /** What the VMs are for AWS. A job has its caller's identity instead, or none. */
  readonly vmRole: IRole;

  /** Runs deployed jobs for events. */
  readonly launchFunction: IFunction;

  /** Brings jobs to their end. */
  readonly reaperFunction: IFunction;

  /** Events that could not be handled, and passes that failed, after all their retries. */
  readonly deadLetters: IQueue;

  /** Of the VMs: `database.connections.allowDefaultPortFrom(cloud)`. */
  readonly connections: Connections;

  /** @internal */
  readonly jobHost: JobHost;

  readonly #network: Network;
  readonly #jobs: JobPolicies;
  readonly #grants: Grants;
  readonly #vmTags: Readonly<Record<string, string>>;
  readonly #limits: Limits | undefined;
  readonly #metrics: boolean;
  readonly #allowsExec: boolean;

  constructor(scope: Construct, id: string, props: RawCloudProps = {}) {
    super(scope, id);
    const { name = DEFAULT_SCAFFOLD_NAME } = props;
    if (Token.isUnresolved(name)) throw new Error("rawcloud: 'name' must be known before the deployment; give plain text");
    this.scaffoldName = checkScaffoldName(name);
    checkOnlyOne(this);
    const { shared = false, permissionsBoundary } = props;
    const names = new TakenNames(name);
    this.#vmTags = checkVmTags(props.vmTags ?? {});
    this.#limits = limitsOf(props);
    this.#metrics = props.metrics ?? false;
    this.#allowsExec = props.allowExec ?? false;
    if (permissionsBoundary) PermissionsBoundary.of(this).apply(permissionsBoundary);
    const stack = Stack.of(this);
    const { bucket, encryptionKey } = stateOf(this, props, {
      roleIds: () => kinds.roleIds,
      roleArns: vmRolesUnder({ partition: `arn:${stack.partition}`, account: stack.account, region: stack.region }, name),
      byPath: shared,
    });
    this.bucket = bucket;
    const bucketKey = encryptionKey && { key: encryptionKey, bucketArn: bucket.bucketArn };
    this.#network = networkOf(this, props);
    this.connections = new Connections({ securityGroups: [...this.#network.securityGroups] });
    // Others know them by their path and tag, and those who are here as well.
    this.#jobs = new JobPolicies(this, !shared);
    const kinds = new VmKinds(this, {
      scaffold: name,
      bucket,
      bucketKey,
      securityGroupIds: this.#groupIds,
      vmTags: this.#vmTags,
      allowExec: this.#allowsExec,
      shared,
      permissionsBoundary,
      jobs: this.#jobs,
    });
    // A policy that was written before must know it.
    const path = props.bucket ? vmRolePath(stack.region, name) : undefined;
    const own = kinds.addOwn(path);
    this.vmRole = own.role;
    if (this.#allowsExec) createExecDocument(this, name);
    this.#publish(own, checkRegions(props.watchedRegions));

    const deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.deadLetters = deadLetters;
    const functions = {
      scaffold: name,
      deadLetters: this.deadLetters,
      removalPolicy: RemovalPolicy.DESTROY,
      logRetention: props.logRetention ?? RetentionDays.ONE_MONTH,
    };
    const facts = accessFacts(this, {
      scaffold: name,
      bucketArn: bucket.bucketArn,
      network: this.#network,
      vms: own,
      vmTags: this.#vmTags,
      ...(this.#limits ? { limits: this.#limits } : {}),
      exec: this.#allowsExec,
      shared,
    });
    this.#grants = new Grants(this, { facts, bucketKey, named: shared });
    const policies = new FunctionPolicies(facts);
    this.launchFunction = createLaunchFunction(this, {
      ...functions,
      policy: policies.launch,
    });
    this.reaperFunction = createReaperFunction(this, {
      ...functions,
      ...(this.#metrics ? { environment: { [METRICS_VARIABLE]: 'on' } } : {}),
      policy: policies.reaper,
    });
    for (const { role } of [this.launchFunction, this.reaperFunction]) {
      if (!role) continue;
      grantKey(bucketKey, role, KEY_ACTIONS.write);
      this.#jobs.letLaunch(role);
    }
    if (this.reaperFunction.role) this.#jobs.keepFrom(this.reaperFunction.role);
    tickReaper(this, this.reaperFunction, deadLetters, props.reaperInterval);
    if (shared) {
      share(this, {
        facts,
        bucket: bucket.bucketName,
        launchFunction: this.launchFunction.functionArn,
        deadLetters,
        securityGroups: this.#groupIds,
        grants: this.#grants,
      });
    }
    this.jobHost = {
      demands: { name, vmTags: this.#vmTags, ...(this.#limits ? { limits: this.#limits } : {}) },
      addVmKind: (scope, description) => kinds.add(scope, description),
      allowAssetsOf: (assets) => (isHere(assets, this) ? policies.allowAssets(assets) : checkForeignAssets(assets)),
      // Of another stack: only where the policy of the queue lets all rules in.
      deadLettersOf: (scope) => (isHere(scope, this) ? deadLetters : shared ? foreignLetters(scope, deadLetters) : undefined),
      takeName: (kind, taken, by) => names.take(kind, taken, by),
    };
    Tags.of(this).add(TAGS.scaffold, name);
  }

  /**
   * A rule for each pass of the reaper that found something left behind, removed it, or could not prove that there is nothing;
   * at least once.
   */
  onLeftoversFound(id: string, options: OnEventOptions = {}): Rule {
    return onLeftovers(this, id, this.scaffoldName, options);
  }

  /** What passes of the reaper found that no earlier one had, whosever it is. @throws unless `metrics` is on */
  metricLeftoversFound(props?: MetricOptions): Metric {
    return this.#metric('LeftoversFound', props);
  }

  /** VMs that the reaper told to end, and what else it deleted. @throws unless `metrics` is on */
  metricLeftoversRemoved(props?: MetricOptions): Metric {
    return this.#metric('LeftoversRemoved', props);
  }

  /** What passes could not look at, or not end. @throws unless `metrics` is on */
  metricUnproved(props?: MetricOptions): Metric {
    return this.#metric('Unproved', props);
  }

  /** Runs of deployed jobs that ended otherwise than `ok` or `stopped`; at least once each. @throws unless `metrics` is on */
  metricJobsFailed(props?: MetricOptions): Metric {
    return this.#metric('JobsFailed', props);
  }

  /**
   * Lets somebody run jobs, look at them and stop them, and enter their VMs where that is allowed. Users and groups get managed policies,
   * for IAM takes short ones only within them.
   */
  grantRun(grantee: IGrantable): Grant {
    this.#jobs.letLaunch(grantee.grantPrincipal);
    return this.#grants.run(grantee);
  }

  /**
   * Lets somebody look at jobs: `rawcloud ps`, `status`, `logs`, `attach` and `download`. Nothing can be launched, stopped or changed,
   * and no secret of a job be read. What jobs print and bring back can: it is of the same trust domain.
   */
  grantRead(grantee: IGrantable): Grant {
    return this.#grants.read(grantee);
  }

  /** As {@link grantRead}, and `rawcloud stop`. VMs and the reaper do what was asked for, within minutes. */
  grantStop(grantee: IGrantable): Grant {
    return this.#grants.stop(grantee);
  }

  #metric(metricName: MetricName, props: MetricOptions = {}): Metric {
    return metricOf(this, { scaffold: this.scaffoldName, isOn: this.#metrics, metricName }, props);
  }

  get #groupIds(): [string, ...string[]] {
    return this.#network.securityGroups.map((group) => group.securityGroupId) as [string, ...string[]];
  }

  #publish({ roleId, template }: VmKind, watchedRegions: readonly string[] | undefined): void {
    const { account, region } = Stack.of(this);
    const { subnets } = this.#network;
    createScaffoldParameter(this, {
      v: 1,
      name: this.scaffoldName,
      account,
      region,
      bucket: this.bucket.bucketName,
      roleId,
      launchTemplateId: template.ref,
      launchTemplateVersion: template.attrLatestVersionNumber,
      securityGroupId: this.#groupIds[0],
      zones: subnets ? subnets.map(({ zone }) => zone) : zonesForJson(this),
      ...(subnets ? { subnets: [...subnets] } : {}),
      ...(Object.keys(this.#vmTags).length > 0 ? { vmTags: this.#vmTags } : {}),
      ...(this.#limits ? { limits: this.#limits } : {}),
      ...(watchedRegions ? { watchedRegions: [...watchedRegions] } : {}),
      ...(this.#allowsExec ? { exec: { document: execDocumentName(this.scaffoldName) } } : {}),
      version: VERSION,
    });
  }
}
