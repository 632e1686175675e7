import { mkdtemp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { CreateLaunchTemplateCommand, EC2Client } from '@aws-sdk/client-ec2';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import {
  assetName,
  decodeJson,
  DefinitionSchema,
  deployedParameterName,
  encodeJson,
  jobRoleParameterName,
  userData,
  vmRoleStatements,
} from '../../lib/contract';
import type { Definition, Deployed, JobRole, PackageChoices, Ref } from '../../lib/contract';
import type { LocalCloud } from '../../lib/local/cloud';
import type { RoleInput } from '../../lib/local/roles';
import type { Artifact } from '../../lib/runtime/deps';
import { captureDefinition } from '../../lib/runtime/definition/capture';
import { agentArtifact, nodeArtifact } from '../../lib/runtime/launch/artifacts';
import { sha256Of } from '../../lib/store/sha256';
import { encodeTree } from '../../lib/store/tree-codec';
import { jsonCall } from '../local/json-call';

export interface JobOfAnApp {
  readonly id: string;
  readonly argv: readonly string[];
  readonly secrets?: Deployed['secrets'];
  readonly variables?: Readonly<Record<string, string>>;
  readonly limits?: Partial<Definition['limits']>;
  readonly overlap?: Definition['overlap'];
  readonly spotPolicy?: Definition['hardware']['spotPolicy'];
  /** What its role may besides what every VM may. */
  readonly allowed?: RoleInput['statements'];
  readonly inputVariable?: string;
  /** Directory that is captured as at synthesis, with the Python packages of its lockfile. @default - no files, no packages */
  readonly source?: string;
  readonly packageChoices?: PackageChoices;
  readonly setup?: readonly string[];
}

/** Lays down in a local cloud, by hand, what an app with deployed jobs lays down in an account. */
export class Deployment {
  /** Where the CDK puts content. */
  readonly #assets: Deployed['assets'];
  readonly #ec2: EC2Client;
  readonly #s3: S3Client;
  readonly #ssm: SSMClient;

  constructor(
    private readonly cloud: LocalCloud,
    private readonly cacheDir: string,
  ) {
    const { url: endpoint, region, credentials, scaffold } = cloud;
    this.#assets = { bucket: `cdk-hnb659fds-assets-${scaffold.account}-${region}`, keyPrefix: '', keySuffix: '.bin' };
    const client = { endpoint, region, credentials: { ...credentials } };
    this.#ec2 = new EC2Client(client);
    this.#s3 = new S3Client({ ...client, forcePathStyle: true });
    this.#ssm = new SSMClient(client);
  }

  async open(): Promise<void> {
    await this.#s3.send(new CreateBucketCommand({ Bucket: this.#assets.bucket }));
  }

  /** @returns the secret's ARN */
  async secret(Name: string, SecretString: string): Promise<string> {
    const to = { service: 'secretsmanager', target: 'secretsmanager.CreateSecret' };
    return ((await jsonCall(this.cloud, to, { Name, SecretString })) as { ARN: string }).ARN;
  }

  /** @returns what its parameter says */
  async deploy(job: JobOfAnApp): Promise<Deployed> {
    const { name } = this.cloud.scaffold;
    const definition = job.source === undefined ? await this.#definition(job) : await this.#captured(job, job.source);
    const deployed: Deployed = {
      v: 1,
      id: job.id,
      kind: 'schedule',
      enabled: true,
      definition: (await this.#asset(encodeJson(definition))).sha256,
      assets: this.#assets,
      ...(await this.#vmKind(`app-${job.id}`, job.allowed)),
      variables: { ...job.variables },
      ...(job.secrets ? { secrets: job.secrets } : {}),
      ...(job.inputVariable ? { inputVariable: job.inputVariable } : {}),
    };
    await this.#parameter(deployedParameterName(name, job.id), deployed);
    return deployed;
  }

  /** Lays down a role that jobs may be run with. @returns what its parameter says */
  async role(name: string, allowed: RoleInput['statements'] = []): Promise<JobRole> {
    const role: JobRole = { v: 1, name, ...(await this.#vmKind(`role-${name}`, allowed)) };
    await this.#parameter(jobRoleParameterName(this.cloud.scaffold.name, name), role);
    return role;
  }

  close(): void {
    for (const client of [this.#ec2, this.#s3, this.#ssm]) client.destroy();
  }

  async #parameter(Name: string, value: object): Promise<void> {
    await this.#ssm.send(new PutParameterCommand({ Name, Value: JSON.stringify(value), Type: 'String' }));
  }

  async #vmKind(name: string, allowed: RoleInput['statements'] = []): Promise<Omit<JobRole, 'v' | 'name'>> {
    const statements = [...vmRoleStatements(`arn:aws:s3:::${this.cloud.scaffold.bucket}`), ...allowed];
    const { arn: roleArn, id: roleId } = this.cloud.roles.put({ name, statements });
    return { roleArn, roleId, launchTemplateId: await this.#template(name, roleId), launchTemplateVersion: '1' };
  }

  async #definition({ argv, limits, overlap = 'skip', spotPolicy = 'on-demand' }: JobOfAnApp): Promise<Definition> {
    const tree = await this.#asset((await encodeTree({ v: 1, entries: [], packs: [], blobs: {} })).bytes);
    const arch = process.arch === 'arm64' ? 'arm64' : 'x86_64';
    return {
      v: 1,
      work: { kind: 'command', argv: [...argv], cwd: '' },
      environment: { tree, layers: [] },
      hardware: { arch, diskGiB: 30, spotPolicy },
      limits: { lifetimeS: 3_600, graceS: 10, retries: [], ...limits },
      overlap,
      tags: {},
      agent: await this.#artifact(await agentArtifact()),
      node: await this.#artifact(await nodeArtifact({ platform: '', local: true, cacheDir: this.cacheDir, env: {} })),
      contents: [tree],
    };
  }

  /** By the program that constructs run, for VMs that are this machine. */
  async #captured(job: JobOfAnApp, source: string): Promise<Definition> {
    const { environment: _none, hardware, limits, overlap, tags } = await this.#definition(job);
    const outDir = await mkdtemp(path.join(this.cacheDir, 'synth-'));
    const { definition, files } = await captureDefinition({
      source,
      outDir,
      command: job.argv,
      setup: job.setup ?? [],
      packageChoices: job.packageChoices ?? {},
      rest: { hardware, limits, overlap, tags },
      // No settings of the machine's own.
      env: { PATH: process.env['PATH'], PIP_CONFIG_FILE: '/dev/null' },
      home: this.cacheDir,
      cacheDir: this.cacheDir,
      local: true,
      now: Date.now,
    });
    const read = (sha256: string): Promise<Buffer> => readFile(path.join(outDir, `${sha256}.bin`));
    for (const sha256 of files) await this.#put(sha256, await read(sha256));
    return decodeJson(DefinitionSchema, await read(definition), 'the definition');
  }

  async #template(name: string, roleId: string): Promise<string> {
    const { bucket, region, securityGroupId } = this.cloud.scaffold;
    const { LaunchTemplate } = await this.#ec2.send(
      new CreateLaunchTemplateCommand({
        LaunchTemplateName: name,
        LaunchTemplateData: {
          IamInstanceProfile: { Name: name },
          SecurityGroupIds: [securityGroupId],
          InstanceInitiatedShutdownBehavior: 'terminate',
          MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
          UserData: Buffer.from(userData({ bucket, region, roleId })).toString('base64'),
        },
      }),
    );
    return LaunchTemplate!.LaunchTemplateId!;
  }

  async #artifact(artifact: Artifact): Promise<Ref> {
    const { ref } = artifact;
    const chunks: Uint8Array[] = [];
    for await (const chunk of artifact.open()) chunks.push(chunk);
    await this.#put(ref.sha256, Buffer.concat(chunks));
    return ref;
  }

  async #asset(bytes: Uint8Array): Promise<Ref> {
    const ref = { sha256: sha256Of(bytes), bytes: bytes.byteLength };
    await this.#put(ref.sha256, bytes);
    return ref;
  }

  async #put(sha256: string, Body: Uint8Array): Promise<void> {
    const { bucket: Bucket, keyPrefix, keySuffix } = this.#assets;
    await this.#s3.send(new PutObjectCommand({ Bucket, Key: `${keyPrefix}${assetName(sha256)}${keySuffix}`, Body }));
  }
}
