import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import type { AwsContext } from '../../lib/aws/clients';
import { createEc2Compute } from '../../lib/aws/ec2-compute';
import { createEc2Remains } from '../../lib/aws/ec2-remains';
import { createOtherRegions } from '../../lib/aws/other-regions';
import { createEventBus } from '../../lib/aws/event-bus';
import { forwardableCredentials, whoAmI } from '../../lib/aws/identity';
import { createMarketSource } from '../../lib/aws/market-source';
import { createDeployedJobs } from '../../lib/aws/deployed-jobs';
import { createS3Store } from '../../lib/aws/s3-store';
import { bucketKeys, decodeJson, encodeJson, MarksSchema, ROOT, systemClock } from '../../lib/contract';
import type { Compute, Instance, RawcloudEvent, Scaffold, Store } from '../../lib/contract';
import type { Client, JobHandle, RunRequest } from '../../lib/runtime';
import { createClient } from '../../lib/runtime/client';
import { LOCAL_INTERVALS } from '../../lib/runtime/deps';
import type { Artifact } from '../../lib/runtime/deps';
import { agentArtifact } from '../../lib/runtime/launch/artifacts';
import { MarketKeeper } from '../../lib/runtime/market/keeper';
import { LOCAL_PACE } from '../../lib/runtime/observe/pace';
import { sha256Of } from '../../lib/store/sha256';
import { amazonLinux } from '../contract/compute-suite';
import { awsEnv } from './cdk';
import { openMoto, readScaffold } from './moto';
import { PlayedVm } from './vm';

const CLI = path.resolve(__dirname, '../../dist/bin/rawcloud.js');

/** A developer with a project, who works in moto's account. */
export class House {
  readonly events: RawcloudEvent[] = [];
  readonly #over = new AbortController();
  readonly #jobs: JobHandle[] = [];
  readonly #others: string[] = [];

  private constructor(
    readonly directory: string,
    readonly aws: AwsContext,
    readonly scaffold: Scaffold,
    readonly store: Store,
    readonly compute: Compute,
    readonly client: Client,
  ) {}

  /** `zones`: instead of the scaffolding's own. */
  static async open({
    name = 'default',
    zones,
    region,
  }: { name?: string; zones?: readonly string[]; region?: string } = {}): Promise<House> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-house-'));
    await mkdir(path.join(directory, 'project'));
    const aws = await openMoto(region);
    const deployed = await readScaffold(aws, name);
    const scaffold = zones ? { ...deployed, zones: [...zones] } : deployed;
    const store = createS3Store(aws, scaffold);
    const compute = createEc2Compute(aws);
    return new House(directory, aws, scaffold, store, compute, await openClient({ directory, aws, scaffold, store, compute }));
  }

  file(name: string): string {
    return path.join(this.directory, 'project', name);
  }

  async write(name: string, content: string): Promise<void> {
    await writeFile(this.file(name), content);
  }

  /** What the built CLI prints for the same developer. @throws when it leaves with another code than 0 */
  async cli(...args: readonly string[]): Promise<string> {
    const env = { ...awsEnv(this.aws.region), HOME: this.directory };
    return (await promisify(execFile)(process.execPath, [CLI, ...args], { cwd: this.file(''), env })).stdout;
  }

  /** Runs a command in the project; its events up to the launch are kept. */
  async run(command: readonly string[], request: Partial<RunRequest> = {}): Promise<JobHandle> {
    const job = await this.client.run({ command, arch: 'x86_64', ...request }, { onEvent: (event) => this.events.push(event) });
    this.#jobs.push(job);
    return job;
  }

  /** An instance that no job of ours asked for. @returns its id */
  /** @param input over what the request says */
  async launch(tags: Readonly<Record<string, string>>, input: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { id: ImageId } = await amazonLinux(this.aws, 'x86_64');
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const TagSpecifications = [{ ResourceType: 'instance', Tags }];
    const request = { ImageId, InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1, TagSpecifications, ...input };
    const [instance] = await this.compute.launch(JSON.stringify(request));
    this.#others.push(instance!.id);
    return instance!.id;
  }

  /** Ids of all instances of the account that are on, whosever. */
  async alive(): Promise<string[]> {
    const Filters = [{ Name: 'instance-state-name', Values: ['pending', 'running'] }];
    const { Reservations = [] } = await (await this.aws.ec2()).send(new DescribeInstancesCommand({ Filters }));
    return Reservations.flatMap((r) => r.Instances ?? []).map((i) => i.InstanceId!);
  }

  /** As if the job had never been open: its VM is then nobody's. */
  async forget(job: string): Promise<void> {
    await this.store.delete(bucketKeys.active(job));
  }

  /** As if the reaper's marks were older than they are. */
  async ageMarks(ms: number): Promise<void> {
    const found = await this.store.get(bucketKeys.reaperMarks);
    if (typeof found === 'string') throw new Error('there are no marks');
    const record = decodeJson(MarksSchema, found.body, 'marks');
    await this.store.put(
      bucketKeys.reaperMarks,
      encodeJson({ ...record, marks: record.marks.map((m) => ({ ...m, since: m.since - ms })) }),
    );
  }

  /** The VMs of a job. */
  async vms(job: Pick<JobHandle, 'id'>): Promise<Instance[]> {
    return this.compute.describe({ scaffold: this.scaffold.name, job: job.id });
  }

  /** The one VM of a job, booted by us. */
  async boot(job: Pick<JobHandle, 'id'>): Promise<PlayedVm> {
    const [instance, ...others] = await this.vms(job);
    if (!instance || others.length > 0) throw new Error(`the job has ${others.length + (instance ? 1 : 0)} VMs, not one`);
    return PlayedVm.boot(this.aws, instance.id, this.#over.signal);
  }

  /** Keys in the bucket that name the job, without the secret. */
  async keys(job: Pick<JobHandle, 'id'>): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.store.list(ROOT)) if (key.includes(job.id)) keys.push(key.replace(/-[0-9a-f]{32}\//, '/'));
    return keys;
  }

  /** Ends what a test, above all a failed one, left on: no job is open for the next. */
  async close(): Promise<void> {
    this.#over.abort(new Error('the test is over'));
    for (const job of this.#jobs) await job.stop();
    for (const job of this.#jobs) await job.wait();
    await this.compute.terminate(this.#others);
    await this.client.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

interface ClientParts {
  readonly directory: string;
  readonly aws: AwsContext;
  readonly scaffold: Scaffold;
  readonly store: Store;
  readonly compute: Compute;
}

/** As `connect` makes it, but for Node, which it would fetch from the registry, and for the pace. */
async function openClient({ directory, aws, scaffold, store, compute }: ClientParts): Promise<Client> {
  const caller = await whoAmI(aws);
  const market = new MarketKeeper({ store, source: createMarketSource(aws), clock: systemClock, region: scaffold.region });
  return createClient({
    store,
    compute,
    remains: createEc2Remains(aws),
    otherRegions: createOtherRegions(aws),
    events: createEventBus(aws, scaffold),
    scaffold,
    clock: systemClock,
    by: 'client of the test',
    owner: caller.arn,
    host: 'house',
    local: false,
    arch: 'x86_64',
    vmSystem: 'linux',
    here: 'linux-x86_64',
    cwd: path.join(directory, 'project'),
    home: directory,
    env: {},
    cacheDir: path.join(directory, 'cache'),
    intervals: { ...LOCAL_INTERVALS, flushMs: 50, idleFlushMs: 50 },
    pace: LOCAL_PACE,
    market,
    deployed: createDeployedJobs(aws, scaffold),
    resolveImage: (arch) => amazonLinux(aws, arch),
    forward: async () => ({ arn: caller.arn, credentials: await forwardableCredentials(aws) }),
    agentArtifact: () => agentArtifact(),
    nodeArtifact: () => Promise.resolve(NODE),
    close: async () => {
      await market.close();
      aws.close();
    },
  });
}

/** Stands for the Node executable: larger than a part of an upload, as that is. */
const NODE = artifactOf(randomBytes(9 * 2 ** 20));

function artifactOf(bytes: Buffer): Artifact {
  return {
    ref: { sha256: sha256Of(bytes), bytes: bytes.byteLength },
    async *open() {
      yield bytes;
    },
  };
}
