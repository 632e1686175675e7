import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { openAws } from '../../lib/aws/clients';
import { createS3Store } from '../../lib/aws/s3-store';
import { VERSION } from '../../lib/contract';
import type { Store } from '../../lib/contract';
import { startLocalCloud } from '../../lib/local/cloud';
import type { LocalCloud, LocalCloudOptions } from '../../lib/local/cloud';
import { writeCloudFile } from '../../lib/local/cloud-file';
import { parseDriverChoice } from '../../lib/local/drivers/driver-choice';
import { createControl } from '../../lib/local/control';
import { connect } from '../../lib/runtime';
import type { Client } from '../../lib/runtime';
import { machineProcesses } from '../fakes/local-cloud';
import { Developer } from './developer';

export type { Ended, Running, RunOptions } from './developer';

/** The agent, as a process: nothing else on a VM runs on the Node that the image ships. */
export const AGENT = /opt\/rawcloud\/node\/[0-9a-f]{64}\/bin\/node/;

/** A developer with a local cloud in this process, so that a test can break things. */
export class House extends Developer {
  private constructor(
    directory: string,
    readonly cloud: LocalCloud,
  ) {
    super(directory, cloud.stateDir);
  }

  static async open(options: Partial<Omit<LocalCloudOptions, 'stateDir'>> = {}): Promise<House> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-test-'));
    const stateDir = path.join(directory, 'state');
    const token = 'token-of-the-test';
    const cloud = await startLocalCloud({
      log: () => undefined,
      // To run all of it on another driver.
      driver: parseDriverChoice(process.env['RAWCLOUD_LOCAL_DRIVER'] ?? 'process'),
      ...options,
      stateDir,
      control: (c) => createControl(c, { token, onShutdown: () => undefined }),
    });
    const { url, port, region, credentials } = cloud;
    await writeCloudFile(stateDir, { v: 1, pid: process.pid, port, url, region, token, credentials, version: VERSION });
    const house = new House(directory, cloud);
    await house.moveIn();
    return house;
  }

  /** A client in this process, of the same developer. */
  client(): Promise<Client> {
    return connect({ env: this.env, cwd: this.project, local: true });
  }

  /** Overwrites a parameter, as an administrator. */
  async putParameter(name: string, value: string): Promise<void> {
    const { url: endpoint, region, credentials } = this.cloud;
    const ssm = new SSMClient({ endpoint, region, credentials: { ...credentials }, maxAttempts: 1 });
    try {
      await ssm.send(new PutParameterCommand({ Name: name, Value: value, Overwrite: true }));
    } finally {
      ssm.destroy();
    }
  }

  /** Reads and writes the bucket, as an administrator. */
  async inBucket<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const { url: endpoint, region, credentials, scaffold } = this.cloud;
    const aws = await openAws({ env: {}, region, endpoint, credentials });
    try {
      return await work(createS3Store(aws, { bucket: scaffold.bucket }));
    } finally {
      aws.close();
    }
  }

  /** Calls of an operation so far. */
  calls(operation: string): number {
    return this.cloud.calls.recent().filter((c) => c.operation === operation).length;
  }

  /** VMs that are not terminated. */
  alive(): string[] {
    return this.cloud.ec2
      .instances()
      .filter((i) => i.state !== 'terminated')
      .map((i) => i.id);
  }

  /** Kills every agent, as the kernel does when memory runs out. @throws when there is none */
  killAgents(): void {
    const agents = machineProcesses(this.directory).filter(({ command }) => AGENT.test(command));
    if (agents.length === 0) throw new Error('no agent runs');
    for (const { pid } of agents) process.kill(pid, 'SIGKILL');
  }

  /** Resolves when nothing is on any more. */
  async allGone(): Promise<void> {
    await Promise.all(this.alive().map((id) => this.cloud.ec2.whenState(id, 'terminated', AbortSignal.timeout(15_000))));
  }

  /** A process in which a function's handler is called, as Lambda would call it: with the developer's rights, and nothing else around it. */
  callFunction(name: 'launch' | 'reap', event: unknown, environment: Readonly<Record<string, string>> = {}): ChildProcess {
    const { url, region, credentials } = this.cloud;
    const handler = path.join(__dirname, '../../dist/lambda', name, 'index.js');
    const env = {
      PATH: process.env['PATH'],
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      RAWCLOUD_SCAFFOLD: 'default',
      ...environment,
    };
    const call = `require(${JSON.stringify(handler)}).handler(${JSON.stringify(event)})`;
    return spawn(process.execPath, ['-e', call], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** A file in the tree of the VM that runs. */
  async place(name: string, content = ''): Promise<void> {
    const [id] = this.alive();
    await writeFile(path.join(this.cloud.stateDir, 'machines', id!, 'var/lib/rawcloud/job/tree', name), content);
  }

  /** A file of a VM, whose disk is gone when it has ended. */
  machineFile(id: string, name: string): Promise<string> {
    return readFile(path.join(this.cloud.stateDir, 'machines', id, name), 'utf8');
  }

  /** Every file that the local cloud and the client keep, by name; Node's own executable, of 100 MB, aside. */
  async everything(): Promise<{ name: string; content: Buffer }[]> {
    const found: { name: string; content: Buffer }[] = [];
    for (const top of [this.cloud.stateDir, path.join(this.directory, 'cache')]) {
      if (!existsSync(top)) continue;
      for (const entry of await readdir(top, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const name = path.join(entry.parentPath, entry.name);
        // What ends meanwhile takes its files along.
        const { size } = await stat(name).catch(() => ({ size: Infinity }));
        if (size > 50e6) continue;
        const content = await readFile(name).catch(() => Buffer.alloc(0));
        found.push({ name: path.relative(this.directory, name), content });
      }
    }
    return found;
  }

  /** Ends everything. @throws when a VM was on, or a process of one is left behind */
  async close(): Promise<void> {
    const alive = this.alive();
    this.killAll();
    await this.cloud.close();
    const left = machineProcesses(this.directory);
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
    if (alive.length > 0) throw new Error(`VMs were still on: ${alive.join(', ')}`);
    if (left.length > 0) throw new Error(`processes of machines were left behind: ${left.map((p) => p.command).join('; ')}`);
  }
}
