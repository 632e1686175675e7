import { createHash } from 'node:crypto';
import { Names, Stack, Tags } from 'aws-cdk-lib';
import type { IGrantable, IPrincipal, IRole } from 'aws-cdk-lib/aws-iam';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { assetName, checkDefinitionId, deployedParameterName, TAGS } from '../contract';
import type { Deployed, SecretSource } from '../contract';
import { captureSource } from './capture-source';
import { definitionOf, packageChoicesOf } from './job-options';
import type { JobOptions } from './job-options';

export interface DeployedJobProps extends JobOptions {
  readonly kind: Deployed['kind'];
  /** Variable in which the job finds what came with the event. @default - none */
  readonly inputVariable?: string;
}

/** Variables that are rawcloud's, or that a job would not work without. */
const RESERVED = /^(RAWCLOUD_|AWS_CONTAINER_|PATH$|HOME$|TMPDIR$)/;

/**
 * A job as it is laid down in an account: its content among the app's assets, a role and launch template of its own, and
 * the parameter that says so. Whoever may call the launch function can start it, and change nothing about it.
 */
export class DeployedJob extends Construct implements IGrantable {
  /** What events call it by. */
  readonly jobId: string;

  /** What its VMs, and so the job, are for AWS: `table.grantReadData(job)`. */
  readonly role: IRole;

  readonly grantPrincipal: IPrincipal;

  constructor(scope: Construct, id: string, props: DeployedJobProps) {
    super(scope, id);
    const { cloud, inputVariable, enabled = true, variables = {} } = props;
    const rest = definitionOf(props);
    const name = checkDefinitionId(props.name ?? scope.node.id);
    cloud.jobHost.takeName('job', name, scope);
    checkVariables([...Object.keys(variables), ...Object.keys(props.secrets ?? {}), ...(inputVariable ? [inputVariable] : [])]);
    Tags.of(scope).add(TAGS.scaffold, cloud.scaffoldName);
    this.jobId = jobIdOf(scope);
    const { definition, asset } = captureSource(this, {
      source: props.source,
      command: props.command,
      ...(props.setup ? { setup: props.setup } : {}),
      ...(props.setupTimeout ? { setupTimeoutS: props.setupTimeout.toSeconds() } : {}),
      packageChoices: packageChoicesOf(props).choices,
      ...(props.keep ? { keep: props.keep } : {}),
      rest,
    });
    const { role, roleId, template } = cloud.jobHost.addVmKind(this, `rawcloud: VMs of the job ${name}`);
    this.role = role;
    this.grantPrincipal = role.grantPrincipal;
    cloud.jobHost.allowAssetsOf(asset.bucket);
    const deployed: Deployed = {
      v: 1,
      id: this.jobId,
      kind: props.kind,
      name,
      enabled,
      definition,
      assets: { bucket: asset.s3BucketName, ...aroundName(asset.s3ObjectKey, assetName(definition)) },
      roleArn: role.roleArn,
      roleId,
      launchTemplateId: template.ref,
      launchTemplateVersion: template.attrLatestVersionNumber,
      variables,
      secrets: this.#grantSecrets(props),
      ...(inputVariable === undefined ? {} : { inputVariable }),
    };
    new StringParameter(this, 'Definition', {
      parameterName: deployedParameterName(cloud.scaffoldName, this.jobId),
      description: `rawcloud: the job ${name}`,
      stringValue: Stack.of(this).toJsonString(deployed),
    });
  }

  #grantSecrets({ secrets = {} }: JobOptions): Record<string, SecretSource> {
    const granted = Object.entries(secrets).map(([variable, secret]) => {
      secret.grantRead(this.role);
      return [variable, secret.source] as const;
    });
    return Object.fromEntries(granted);
  }
}

/** The same in each deployment, and in the account's region nobody else's. */
function jobIdOf(scope: Construct): string {
  const readable = scope.node.id.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 40);
  return `${readable}-${createHash('sha256')
    .update(`${Stack.of(scope).stackName} ${Names.uniqueId(scope)}`)
    .digest('hex')
    .slice(0, 8)}`;
}

function aroundName(key: string, name: string): { keyPrefix: string; keySuffix: string } {
  const at = key.indexOf(name);
  if (at < 0)
    throw new Error(`rawcloud: the asset's key '${key}' does not hold its hash '${name}': this synthesizer names assets otherwise`);
  return { keyPrefix: key.slice(0, at), keySuffix: key.slice(at + name.length) };
}

function checkVariables(names: readonly string[]): void {
  const wrong = names.filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || RESERVED.test(name));
  if (wrong.length > 0)
    throw new Error(
      `rawcloud: ${wrong.map((name) => `'${name}'`).join(', ')} cannot be a variable of a job; allowed are letters, digits and '_', and no name of rawcloud's own`,
    );
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  if (twice.length > 0) throw new Error(`rawcloud: ${twice.join(', ')} is both a variable and a secret`);
}
