import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { AwsContext } from '../../lib/aws/clients';
import { callHandler } from '../fakes/handler';
import { awsEnv } from './cdk';
import { getJson } from './http';
import { ACCOUNT } from './moto';

/** What CloudFormation made of a function, as Lambda tells it. */
export interface FunctionFacts {
  readonly FunctionName: string;
  readonly Description: string;
  readonly Runtime: string;
  readonly Handler: string;
  readonly Timeout: number;
  readonly MemorySize: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, string>> };
  readonly Role: string;
}

interface FunctionCode {
  readonly Code: { readonly Location: string };
  readonly Configuration: { readonly CodeSha256: string };
}

/**
 * A deployed function, run here as Lambda would: the bytes that lie in the bucket of the assets, in a process whose
 * environment is what CloudFormation gave the function and what Lambda itself adds. moto, without Docker, runs none.
 */
export class DeployedFunction {
  private constructor(
    readonly facts: FunctionFacts,
    readonly directory: string,
    private readonly region: string,
  ) {}

  /** The function of that description in that scaffolding. @throws unless there is just one */
  static async find(aws: AwsContext, scaffold: string, description: RegExp): Promise<DeployedFunction> {
    const { Functions } = (await getJson('lambda', '/2015-03-31/functions/?MaxItems=1000', aws.region)) as { Functions: FunctionFacts[] };
    const found = Functions.filter((f) => f.Environment.Variables['RAWCLOUD_SCAFFOLD'] === scaffold && description.test(f.Description));
    if (found.length !== 1) throw new Error(`${found.length} functions of '${scaffold}' are described so: ${description}`);
    const directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-function-'));
    await unpack(aws, found[0]!.FunctionName, directory);
    return new DeployedFunction(found[0]!, directory, aws.region);
  }

  /** @returns what the handler returns @throws what it throws */
  async invoke(event: unknown): Promise<unknown> {
    const { Handler, Environment, FunctionName } = this.facts;
    const given = { AWS_LAMBDA_FUNCTION_NAME: FunctionName, LAMBDA_TASK_ROOT: this.directory, TMPDIR: os.tmpdir() };
    const env = { ...awsEnv(this.region), ...given, ...Environment.Variables };
    return callHandler({ directory: this.directory, handler: Handler, env }, event);
  }

  async close(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The code that the function was made from, as an asset: Lambda tells its name and its hash. */
async function unpack(aws: AwsContext, name: string, directory: string): Promise<void> {
  const facts = (await getJson('lambda', `/2015-03-31/functions/${name}`, aws.region)) as FunctionCode;
  const object = { Bucket: `cdk-hnb659fds-assets-${ACCOUNT}-${aws.region}`, Key: path.basename(facts.Code.Location) };
  const { Body } = await (await aws.s3()).send(new GetObjectCommand(object));
  const bytes = await Body!.transformToByteArray();
  expect(createHash('sha256').update(bytes).digest('base64')).toBe(facts.Configuration.CodeSha256);
  const archive = path.join(directory, 'code.zip');
  await writeFile(archive, bytes);
  await promisify(execFile)('python3', ['-m', 'zipfile', '-e', archive, directory]);
}
