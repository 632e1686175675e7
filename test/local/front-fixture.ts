import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { amazonLinuxParameter, anyVmOf, bucketStatements, vmRoleStatements } from '../../lib/contract';
import { Calls } from '../../lib/local/calls';
import { LocalEventBus } from '../../lib/local/event-bus';
import { Faults } from '../../lib/local/faults';
import { Policies } from '../../lib/local/policy';
import { type AccessKey, Principals, type SessionKeys } from '../../lib/local/principals';
import { Roles } from '../../lib/local/roles';
import { createS3, type LocalS3 } from '../../lib/local/s3';
import { createSecretsManager } from '../../lib/local/secrets-manager';
import { type RunningServer, startServer } from '../../lib/local/server';
import { createSsm } from '../../lib/local/ssm';
import { createSts } from '../../lib/local/sts';

export const ACCOUNT = '123456789012';
export const REGION = 'eu-central-1';
export const BUCKET = 'rawcloud-test';
export const ROLE_ID = 'AROALOCALTESTROLEIDX';
const ROLE_NAME = 'rawcloud-vm';
export const IMAGE = 'ami-0123456789abcdef0';

/** The front with S3, STS, SSM, Secrets Manager and EventBridge in a directory of its own. */
export interface TestCloud {
  readonly directory: string;
  readonly url: string;
  readonly port: number;
  readonly principals: Principals;
  readonly roles: Roles;
  readonly faults: Faults;
  readonly calls: Calls;
  readonly bus: LocalEventBus;
  /** What the local cloud itself complained of; must stay empty. */
  readonly complaints: unknown[];
  /** Moves the cloud's clock, against that of the clients. */
  shiftMs: number;
  s3(keys?: AccessKey | SessionKeys, config?: S3ClientConfig): S3Client;
  sts(keys?: AccessKey | SessionKeys): STSClient;
  ssm(keys?: AccessKey | SessionKeys): SSMClient;
  /** Ends the server and starts another one on the same directory. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startTestCloud(): Promise<TestCloud> {
  const directory = mkdtempSync(join(tmpdir(), 'rawcloud-front-'));
  const cloud = new Fixture(directory);
  await cloud.start();
  return cloud;
}

/** The SDK's warnings about streams and Node versions say nothing about us. */
const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

class Fixture implements TestCloud {
  shiftMs = 0;
  readonly complaints: unknown[] = [];
  readonly faults = new Faults();
  calls!: Calls;
  principals!: Principals;
  roles!: Roles;
  bus!: LocalEventBus;
  #server!: RunningServer;
  readonly #clients: { destroy(): void }[] = [];

  constructor(readonly directory: string) {}

  get url(): string {
    return this.#server.url;
  }

  get port(): number {
    return this.#server.port;
  }

  async start(): Promise<void> {
    const now = (): number => Date.now() + this.shiftMs;
    const { directory, faults } = this;
    this.calls = new Calls({ file: join(directory, 'calls.jsonl') });
    this.principals = new Principals({
      file: join(directory, 'keys.json'),
      account: ACCOUNT,
      roleName: ROLE_NAME,
      roleId: ROLE_ID,
      now,
    });
    const arn = `arn:aws:s3:::${BUCKET}`;
    const own = { name: ROLE_NAME, id: ROLE_ID, statements: vmRoleStatements(arn), ofScaffold: true };
    this.roles = new Roles({ file: join(directory, 'roles.json'), account: ACCOUNT, own });
    const policies = new Policies({
      vmStatements: ({ role = ROLE_NAME }) => this.roles.get(role)?.statements ?? [],
      bucketStatements: (bucket) => (bucket === BUCKET ? bucketStatements(arn, { userIds: this.roles.idsOfScaffold.map(anyVmOf) }) : []),
    });
    const s3: LocalS3 = createS3({ directory: join(directory, 's3'), account: ACCOUNT, policies, now });
    s3.ensureBucket(BUCKET, REGION);
    const ssm = createSsm({
      file: join(directory, 'ssm.json'),
      account: ACCOUNT,
      region: REGION,
      policies,
      now,
      publicParameters: { [amazonLinuxParameter('x86_64')]: IMAGE },
    });
    const secrets = createSecretsManager({ file: join(directory, 'secrets.json'), account: ACCOUNT, policies, now });
    this.bus = new LocalEventBus({ account: ACCOUNT, policies, now });
    const services = [s3, createSts({ principals: this.principals, policies }), ssm, secrets, this.bus.service];
    const { principals, calls } = this;
    this.#server = await startServer({ port: 0, services, principals, faults, calls, now, onError: (e) => this.complaints.push(e) });
  }

  s3(keys?: AccessKey | SessionKeys, config: S3ClientConfig = {}): S3Client {
    return this.#keep(new S3Client({ ...this.#config(keys), maxAttempts: 1, ...config }));
  }

  sts(keys?: AccessKey | SessionKeys): STSClient {
    return this.#keep(new STSClient({ ...this.#config(keys), maxAttempts: 1 }));
  }

  ssm(keys?: AccessKey | SessionKeys): SSMClient {
    return this.#keep(new SSMClient({ ...this.#config(keys), maxAttempts: 1 }));
  }

  async restart(): Promise<void> {
    await this.#server.close();
    this.calls.close();
    await this.start();
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.#server.close();
    this.calls.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #config(keys: AccessKey | SessionKeys = this.principals.developer): {
    endpoint: string;
    region: string;
    credentials: AccessKey;
    logger: typeof QUIET;
  } {
    return { endpoint: this.url, region: REGION, credentials: keys, logger: QUIET };
  }

  #keep<T extends { destroy(): void }>(client: T): T {
    this.#clients.push(client);
    return client;
  }
}

/** Name, status and text of the error that `call` fails with. */
export async function failure(
  call: Promise<unknown>,
): Promise<{ name: string; status: number | undefined; message: string; error: Error }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const metadata = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }) : {};
    return { name: error.name, status: metadata.httpStatusCode, message: error.message, error };
  }
  throw new Error('the call did not fail');
}
