import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { watch } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EC2Client } from '@aws-sdk/client-ec2';
import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { startLocalCloud } from '../../lib/local/cloud';
import type { LocalCloud, LocalCloudOptions } from '../../lib/local/cloud';
import { processesWith } from '../setup/processes';
import type { SeenProcess } from '../setup/processes';

// The SDK's word about Node versions is no finding of a test.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

/** A local cloud for one test. */
export interface TestCloud {
  readonly cloud: LocalCloud;
  /** Empty directory of the test, removed at the end; the cloud's state lies in `<directory>/state`. */
  readonly directory: string;
  /** What the process environment of a client would be: endpoint, region, keys, HOME. */
  readonly env: Readonly<Record<string, string>>;
  /** AWS's own clients, without retries, as the developer. */
  readonly ec2: EC2Client;
  readonly s3: S3Client;
  readonly ssm: SSMClient;
  /** A path on an instance's disk. */
  file(instanceId: string, name: string): string;
  /** Content of a file as soon as it ends with a newline and its instance is no longer pending. @throws after 10 s */
  line(instanceId: string, name: string): Promise<string>;
  /** Ends this process's cloud, with or without its machines, and starts another on the same state. */
  restart(options?: { readonly keepMachines?: boolean } & Partial<LocalCloudOptions>): Promise<TestCloud>;
}

export type TestCloudOptions = Partial<Omit<LocalCloudOptions, 'stateDir'>>;

/**
 * Runs `use` with a local cloud of its own, and ends it whatever happens.
 * @throws when `use` throws, when the local cloud reported an error, or when a process of a machine was left behind
 */
export async function withLocalCloud<T>(options: TestCloudOptions, use: (test: TestCloud) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-test-'));
  const errors: string[] = [];
  const open: { current?: TestCloud } = {};
  try {
    const settings = { imageNode: false, log: (line: string) => void errors.push(line), ...options };
    open.current = await openTestCloud(directory, settings, open);
    const result = await use(open.current);
    if (errors.length > 0) throw new Error(`the local cloud reported: ${errors.join('\n')}`);
    return result;
  } finally {
    await closeTestCloud(open.current).finally(() => cleanUp(directory));
  }
}

/** @throws when a process of a machine was left behind; it is killed all the same */
async function cleanUp(directory: string): Promise<void> {
  const left = machineProcesses(directory);
  for (const { pid } of left) process.kill(pid, 'SIGKILL');
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  if (left.length > 0) throw new Error(`processes of machines were left behind:\n${left.map((p) => `${p.pid} ${p.command}`).join('\n')}`);
}

async function openTestCloud(
  directory: string,
  options: Omit<LocalCloudOptions, 'stateDir'>,
  open: { current?: TestCloud },
): Promise<TestCloud> {
  const cloud = await startLocalCloud({ ...options, stateDir: path.join(directory, 'state') });
  const { url: endpoint, region, credentials } = cloud;
  // A copy: the SDK writes into it.
  const client = { endpoint, region, credentials: { ...credentials }, maxAttempts: 1 };
  const file = (id: string, name: string): string => path.join(cloud.stateDir, 'machines', id, name);
  const test: TestCloud = {
    cloud,
    directory,
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      HOME: directory,
      PATH: process.env['PATH'] ?? '',
    },
    ec2: new EC2Client(client),
    s3: new S3Client({ ...client, forcePathStyle: true }),
    ssm: new SSMClient(client),
    file,
    line: async (id, name) => {
      const text = await lineOf(file(id, name), cloud.stateDir);
      await cloud.ec2.whenBooted(id, AbortSignal.timeout(LINE_WITHIN_MS));
      return text;
    },
    restart: async ({ keepMachines = false, ...changes } = {}) => {
      await closeTestCloud(test, keepMachines);
      delete open.current;
      return (open.current = await openTestCloud(directory, { ...options, ...changes }, open));
    },
  };
  return test;
}

async function closeTestCloud(test: TestCloud | undefined, keepMachines = false): Promise<void> {
  if (!test) return;
  const { cloud, ec2, s3, ssm } = test;
  for (const client of [ec2, s3, ssm]) client.destroy();
  await cloud.close({ keepMachines });
}

const LINE_WITHIN_MS = 10_000;

/** Content of a file as soon as it ends with a newline. Waits on the file system's own word; the directory may not be there yet, so the state directory is watched too. */
export async function lineOf(file: string, stateDir: string): Promise<string> {
  const late = AbortSignal.timeout(LINE_WITHIN_MS);
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text.endsWith('\n')) return text.slice(0, -1);
    if (late.aborted) throw new Error(`${file} did not come within ${LINE_WITHIN_MS} ms; it holds '${text}'`);
    await changed([path.dirname(file), path.join(stateDir, 'machines'), stateDir]);
  }
}

/** Something in one of the directories changed, or may have before we looked. */
async function changed(directories: readonly string[]): Promise<void> {
  const enough = new AbortController();
  await new Promise<void>((resolve) => {
    for (const directory of directories) {
      try {
        watch(directory, { signal: enough.signal }, () => resolve()).on('error', () => resolve());
      } catch {
        // Not there yet: its parent is watched.
      }
    }
    setTimeout(resolve, 50);
  });
  enough.abort();
}

/** Living processes of the machines of a local cloud that keeps its state in the directory. */
export const machineProcesses = (directory: string): SeenProcess[] => processesWith(`${directory}/state/machines/`);
