import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CreateLaunchTemplateCommand, CreateSecurityGroupCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { openAws } from '../../lib/aws/clients';
import type { AwsContext } from '../../lib/aws/clients';
import { createS3Store } from '../../lib/aws/s3-store';
import { bucketKeys, decodeJson, encodeJson, environmentId, MarksSchema, STANDARD_QUOTAS, TAGS } from '../../lib/contract';
import type { Deployed, EnvironmentUse, JobRole, Store } from '../../lib/contract';
import type { LocalCloud } from '../../lib/local/cloud';
import type { Asked } from '../../lib/local/policy';
import type { ReapReport, StartedTick } from '../../lib/runtime';
import { sha256Of } from '../../lib/store/sha256';
import { Deployment } from '../e2e/deployment';
import type { JobOfAnApp } from '../e2e/deployment';
import { House } from '../e2e/house';
import { callHandler } from '../fakes/handler';
import { SECRET, TRAINING } from './apps';
import type { Resource } from './apps';
import { accessOf } from './policies';
import type { Access, Names, Who } from './policies';
import { ACCOUNT } from './verdicts';

/** One question of the record, and whose it was. */
export interface Recorded extends Asked {
  readonly who: Who;
}

export interface Recording {
  readonly asked: readonly Recorded[];
  readonly access: Access;
  /** Names in this local cloud, for a table of calls that must be refused. */
  readonly place: Place;
}

export interface Place {
  readonly region: string;
  readonly bucket: string;
  /** ARN of its key. */
  readonly key: string;
  /** Of the scaffolding's VMs. */
  readonly roleName: string;
  readonly roleId: string;
  readonly template: string;
  readonly group: string;
  /** Of the job on a schedule. */
  readonly jobRoleId: string;
  readonly jobTemplate: string;
  /** Of the role that somebody runs a job with. */
  readonly trainingRoleId: string;
}

/** The one that tests sign calls for. */
const REGION = 'eu-central-1';
const NOW = Date.now;
const DAY_MS = 24 * 3_600_000;
const VM_ROLE = 'rawcloud-local-vm';
const ADMIN = 'administrator';
const NIGHTLY = 'nightly';
const JOB_ROLE = `app-${NIGHTLY}`;
const TRAINING_ROLE = `role-${TRAINING}`;
/** Of VMs, in the local cloud. */
const VM_ROLES: Readonly<Record<string, Who>> = { [VM_ROLE]: 'vm', [JOB_ROLE]: 'job', [TRAINING_ROLE]: 'training' };

/**
 * Runs what people, schedules and the reaper do, in a local cloud where each has exactly the policy of the template: so nothing
 * that is done here needs more. What is not a part of it (to lay down the app, to leave things behind) an administrator does.
 */
export async function record(resources: Readonly<Record<string, Resource>>): Promise<Recording> {
  // The cloud's clock, for content that is old.
  const clock = jest.spyOn(Date, 'now').mockImplementation(NOW);
  const house = await House.open({ region: REGION });
  const app = new Deployment(house.cloud, path.join(house.directory, 'cache'));
  const asked: Recorded[] = [];
  try {
    const scenes = await Scenes.open(house, app, clock, resources);
    const end = house.cloud.access.listen((question) => {
      const who = whoIs(question.principal, scenes.playing);
      if (who) asked.push({ ...question, who });
    });
    await scenes.play();
    end();
    scenes.close();
    await house.close();
    return { asked, access: scenes.access, place: placeOf(house, scenes) };
  } catch (error) {
    // What went wrong is worth more than what it left on.
    await house.close().catch(() => undefined);
    throw error;
  } finally {
    app.close();
    clock.mockRestore();
  }
}

/** The administrator and who the job is on its VM (the client) are nobody of whom anything is proven. */
function whoIs(principal: string, developer: Who): Who | undefined {
  if (principal.endsWith(':user/developer')) return developer;
  const role = /:assumed-role\/([^/]+)\//.exec(principal)?.[1];
  if (role === undefined || role === 'launch' || role === 'reaper') return role;
  return VM_ROLES[role];
}

class Scenes {
  private constructor(
    readonly access: Access,
    readonly nightly: Deployed,
    readonly training: JobRole,
    private readonly house: House,
    private readonly clock: jest.SpyInstance<number, []>,
    private readonly aws: AwsContext,
    private readonly ec2: EC2Client,
  ) {}

  static async open(
    house: House,
    app: Deployment,
    clock: jest.SpyInstance<number, []>,
    resources: Readonly<Record<string, Resource>>,
  ): Promise<Scenes> {
    const { cloud } = house;
    await app.open();
    const secret = await app.secret(SECRET, 'correct horse battery staple');
    const nightly = await app.deploy(jobOf(secret, signalIn(house)));
    const training = await app.role(TRAINING);
    const access = accessOf(resources, namesIn(house, nightly, training));
    const { roles } = cloud;
    for (const role of ['launch', 'reaper'] as const) roles.put({ name: role, statements: access.identity[role], ofScaffold: false });
    roles.put({ name: JOB_ROLE, statements: access.identity.job });
    roles.put({ name: TRAINING_ROLE, statements: access.identity.training });
    roles.put({ name: ADMIN, statements: [{ Effect: 'Allow', Action: '*', Resource: '*' }], ofScaffold: false });
    const { url: endpoint, region } = cloud;
    const credentials = administrator(cloud);
    const aws = await openAws({ env: {}, region, endpoint, credentials });
    cloud.access.limitDeveloper(access.identity.client);
    cloud.access.encryptBucket(cloud.scaffold.bucket, keyIn(cloud));
    return new Scenes(access, nightly, training, house, clock, aws, new EC2Client({ endpoint, region, credentials }));
  }

  close(): void {
    this.aws.close();
    this.ec2.destroy();
  }

  async play(): Promise<void> {
    await this.#developer();
    await this.#troubles();
    await this.#spot();
    await this.#schedule();
    await this.#leftovers();
  }

  /** Whose the developer's keys are just now. */
  playing: 'client' | 'reader' | 'stopper' = 'client';

  #as(who: Scenes['playing']): void {
    this.playing = who;
    this.house.cloud.access.limitDeveloper(this.access.identity[who]);
  }

  /** A day of somebody who runs jobs, somebody who looks at them, and somebody who stops them. */
  async #developer(): Promise<void> {
    const { house } = this;
    await house.write({ 'in.txt': 'in' });
    await this.#does(['run', '--dry-run', 'true']);
    await this.#does(['run', '--quiet', '--', 'sh', '-c', 'cat in.txt > out.txt']);
    await this.#does(['download']);
    await this.#does(['run', '--role', TRAINING, 'true']);
    await this.#environments();
    await this.#does(['run', '--detach', '--name', 'sleeper', '--', 'sh', '-c', 'echo begun; exec sleep 600']);
    const watching = house.start(['attach', 'sleeper']);
    await watching.saw(/begun/);
    const [sleeper] = house.alive() as [string];
    await this.#does(['ps']);
    await this.#does(['status', 'sleeper']);
    await this.#does(['logs', '--boot', 'sleeper']);
    await this.#does(['extend', 'sleeper', '2h']);
    // Says what it may not look at, and goes on.
    await house.rawcloud(['doctor']);
    await this.#enter();
    watching.child.kill('SIGKILL');
    await watching.ended;
    // One that cannot reach the bucket tells by its console alone.
    house.cloud.ec2.deadInstances(1);
    await this.#does(['run', '--detach', '--name', 'dead', 'true']);
    this.#as('reader');
    await this.#looks();
    this.#as('stopper');
    await this.#looks();
    // Who may only ask for it waits for VM and reaper.
    const stopping = house.start(['stop', 'sleeper']);
    await house.cloud.ec2.whenState(sleeper, 'terminated', AbortSignal.timeout(60_000));
    await this.#reap();
    expect((await stopping.ended).code).toBe(0);
    this.#as('client');
    await this.#does(['stop', 'dead']);
    await house.allGone();
    await this.#does(['logs', 'sleeper']);
    await this.#does(['ps', '--all']);
  }

  /** Those that a VM has kept are listed and deleted. */
  async #environments(): Promise<void> {
    const key = 'e'.repeat(64);
    const use: EnvironmentUse = {
      v: 1,
      kind: 'python',
      platform: 'linux-x86_64',
      packages: 1,
      bytes: 1,
      storedBytes: 1,
      builtAt: 1,
      owner: 'somebody',
      projects: [],
      packsOf: [],
    };
    await this.#store.put(bucketKeys.environmentManifest(key), Buffer.from('manifest'));
    await this.#store.put(bucketKeys.environmentUse(key), encodeJson(use));
    await this.#does(['env', 'list', '--all']);
    await this.#does(['env', 'delete', environmentId(key), '--yes']);
  }

  /** Somebody looks into the VM, over a connection that breaks, and goes away before the command has ended. */
  async #enter(): Promise<void> {
    await this.#does(['exec', 'sleeper', 'true']);
    const command = 'trap "" INT TERM; echo begun; for n in $(seq 40); do echo "line $n"; sleep 0.05; done; sleep 600';
    const inside = this.house.start(['exec', 'sleeper', 'sh', '-c', command]);
    await inside.saw(/begun/);
    this.house.cloud.sessions.cut();
    await inside.saw(/line 40\n/);
    inside.child.kill('SIGINT');
    inside.child.kill('SIGTERM');
    await inside.ended;
  }

  async #looks(): Promise<void> {
    await this.#does(['ps', '--all']);
    await this.#does(['status', 'sleeper']);
    await this.#does(['logs', 'sleeper']);
    await this.#does(['logs', '--boot', 'dead']);
    const watching = this.house.start(['attach', 'sleeper']);
    await watching.saw(/begun/);
    watching.child.kill('SIGKILL');
    await watching.ended;
  }

  /** An upload in several parts that fails in the middle is given up. */
  async #troubles(): Promise<void> {
    const { house } = this;
    const effect = { kind: 'error', status: 400, code: 'InvalidPart' } as const;
    house.cloud.faults.arm({ operation: 'UploadPart', resource: 'v1/files/', count: 1, effect });
    await house.rawcloud(['run', '--', 'wc', '-c'], { stdin: randomBytes(24 << 20) });
    await house.allGone();
    house.cloud.faults.clear();
  }

  /** The first spot VM of an account, taken back by EC2, and the next one; a VM that is lost, whose job the reaper brings on. */
  async #spot(): Promise<void> {
    const { house } = this;
    house.cloud.ec2.spotRole(false);
    const job = 'echo "try $RAWCLOUD_ATTEMPT"; [ "$RAWCLOUD_ATTEMPT" -gt 0 ] || sleep 600';
    const options = ['--spot-policy', 'spot', '--retries', '1'];
    const running = house.start(['run', ...options, 'sh', '-c', job]);
    await running.saw(/try 0/);
    await house.cloud.ec2.interrupt(house.alive()[0]!, { noticeMs: 1_000 });
    expect(await running.ended).toMatchObject({ code: 0 });
    await house.allGone();
    await this.#does(['run', ...options, '--detach', '--', 'sleep', '600']);
    await house.cloud.ec2.kill(house.alive()[0]!);
    await this.#reap();
    expect(house.alive()).toHaveLength(1);
    await this.#does(['stop']);
    await house.allGone();
  }

  /**
   * Ticks of a deployed job: one that runs and is brought to its end by a second delivery, one that waits for it and is started by
   * the reaper, one whose VM is lost while somebody watches, one that cannot be launched.
   */
  async #schedule(): Promise<void> {
    const { house } = this;
    await this.#firstSpotVm();
    const first = await this.#tick('2026-11-23T12:00:00Z');
    expect(first.state).toBe('launched');
    expect((await this.#tick('2026-11-23T13:00:00Z')).state).toBe('queued');
    await writeFile(signalIn(house), '');
    await house.allGone();
    expect((await this.#tick('2026-11-23T12:00:00Z')).job).toBe(first.job);
    await this.#firstSpotVm();
    expect(await this.#reap()).toMatchObject({ ended: [first.job], unproved: [] });
    await house.allGone();
    await this.#reap();

    await rm(signalIn(house));
    const lost = await this.#tick('2026-11-23T14:00:00Z');
    const watching = house.start(['attach', lost.job]);
    await watching.saw(/running|booted/i);
    await house.cloud.ec2.kill(house.alive()[0]!);
    await writeFile(signalIn(house), '');
    expect((await watching.ended).code).toBe(0);
    await house.allGone();

    // A launch that the quota refuses is ended with the quota's name.
    house.cloud.ec2.setQuotas({ [STANDARD_QUOTAS.spot!.code]: 1 });
    await this.#tick('2026-11-23T15:00:00Z').catch((error: unknown) => expect(String(error)).toMatch(/quota/));
    house.cloud.ec2.clearQuotas();
  }

  /** As in an account where nobody has had a spot VM, nor looked at what there is to buy. */
  async #firstSpotVm(): Promise<void> {
    const { cloud } = this.house;
    cloud.ec2.spotRole(false);
    await this.#store.delete(bucketKeys.market(cloud.region));
  }

  /** One of everything that may stay behind, and old content: marked in one pass, removed in a later one. */
  async #leftovers(): Promise<void> {
    const { house } = this;
    // While no VM is on, whose lifetime the clock would end.
    const kept = encodeJson({ v: 1, rev: 1, by: 'reaper', keys: [], more: false });
    const old = Buffer.from('old');
    const hash = sha256Of(old);
    for (const key of [bucketKeys.file(hash), bucketKeys.agent(hash), bucketKeys.environmentPack(`e1/${hash}`)]) {
      await this.#daysAgo(61, (store) => store.put(key, old));
    }
    await this.#daysAgo(2, (store) => store.put(bucketKeys.sweep, kept));
    const { stdout } = await house.rawcloud(['run', '--detach', '--', 'sleep', '600']);
    const job = stdout.toString().trim();
    const [vm] = house.alive();
    await this.#leaveThings(job);
    await house.cloud.ec2.whenState(vm!, 'running', AbortSignal.timeout(15_000));
    await this.#store.delete(bucketKeys.active(job));
    const found = await this.#reap();
    expect(found.marked.map(({ kind }) => kind).sort()).toEqual(['group', 'template', 'vm', 'volume']);
    expect(found.swept.objects).toBe(3);
    await this.#ageMarks();
    const removed = await this.#reap();
    expect(removed.removed.map(({ kind }) => kind).sort()).toEqual(['group', 'template', 'vm', 'volume']);
    await house.allGone();
  }

  async #leaveThings(job: string): Promise<void> {
    const { launchTemplateId: LaunchTemplateId, name } = this.house.cloud.scaffold;
    const tags = (more: Record<string, string> = {}): { Key: string; Value: string }[] =>
      Object.entries({ [TAGS.scaffold]: name, ...more }).map(([Key, Value]) => ({ Key, Value }));
    const ImageId = this.house.cloud.ec2.instances()[0]!.imageId;
    const { Instances } = await this.ec2.send(
      new RunInstancesCommand({
        LaunchTemplate: { LaunchTemplateId },
        ImageId,
        InstanceType: 'm7i.large',
        MinCount: 1,
        MaxCount: 1,
        BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } }],
        TagSpecifications: [{ ResourceType: 'volume', Tags: tags({ [TAGS.job]: job }) }],
      }),
    );
    await this.house.cloud.ec2.kill(Instances![0]!.InstanceId!);
    await this.ec2.send(
      new CreateLaunchTemplateCommand({
        LaunchTemplateName: 'left',
        LaunchTemplateData: { InstanceType: 'm7i.large' },
        TagSpecifications: [{ ResourceType: 'launch-template', Tags: tags() }],
      }),
    );
    await this.ec2.send(
      new CreateSecurityGroupCommand({
        GroupName: 'left',
        Description: 'left behind',
        TagSpecifications: [{ ResourceType: 'security-group', Tags: tags() }],
      }),
    );
  }

  async #does(args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.house.rawcloud(args);
    if (code !== 0) throw new Error(`rawcloud ${args.join(' ')} ended with ${code}: ${stderr}`);
  }

  get #store(): Store {
    return createS3Store(this.aws, { bucket: this.house.cloud.scaffold.bucket });
  }

  async #tick(tick: string): Promise<StartedTick> {
    return (await this.#call('launch', { rawcloud: { id: NIGHTLY, tick } })) as StartedTick;
  }

  async #reap(): Promise<ReapReport> {
    return (await this.#call('reaper', {})) as ReapReport;
  }

  /** The function that is deployed, with the keys of its role. */
  #call(role: 'launch' | 'reaper', event: unknown): Promise<unknown> {
    const { cloud, directory: home } = this.house;
    const keys = cloud.assumeRole(role, role);
    const directory = path.join(__dirname, '../../dist/lambda', role === 'launch' ? 'launch' : 'reap');
    const env = {
      PATH: process.env['PATH'] ?? '',
      TMPDIR: home,
      AWS_ENDPOINT_URL: cloud.url,
      AWS_REGION: cloud.region,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_SESSION_TOKEN: keys.sessionToken,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      RAWCLOUD_SCAFFOLD: cloud.scaffold.name,
    };
    return callHandler({ directory, handler: 'index.handler', env }, event);
  }

  /** As if all of a pass's marks were older than any patience. */
  async #ageMarks(): Promise<void> {
    const found = await this.#store.get(bucketKeys.reaperMarks);
    if (typeof found === 'string') throw new Error('there are no marks');
    const marks = decodeJson(MarksSchema, found.body, 'marks');
    const aged = { ...marks, marks: marks.marks.map((mark) => ({ ...mark, since: mark.since - 2 * DAY_MS })) };
    await this.#store.put(bucketKeys.reaperMarks, encodeJson(aged));
  }

  /** While the cloud's clock is set back. A context of its own learns of that. */
  async #daysAgo(days: number, put: (store: Store) => Promise<unknown>): Promise<void> {
    const { cloud } = this.house;
    this.clock.mockImplementation(() => NOW() - days * DAY_MS);
    const credentials = administrator(cloud);
    const aws = await openAws({ env: {}, region: cloud.region, endpoint: cloud.url, credentials });
    try {
      await put(createS3Store(aws, { bucket: cloud.scaffold.bucket }));
    } finally {
      aws.close();
      this.clock.mockImplementation(NOW);
    }
  }
}

function placeOf({ cloud }: House, { nightly, training }: Pick<Scenes, 'nightly' | 'training'>): Place {
  const { bucket, roleId, launchTemplateId: template, securityGroupId: group } = cloud.scaffold;
  const { roleId: jobRoleId, launchTemplateId: jobTemplate } = nightly;
  const ofScaffold = { region: cloud.region, bucket, key: keyIn(cloud), roleName: VM_ROLE, roleId, template, group };
  return { ...ofScaffold, jobRoleId, jobTemplate, trainingRoleId: training.roleId };
}

function administrator(cloud: LocalCloud): { accessKeyId: string; secretAccessKey: string; sessionToken: string } {
  const { accessKeyId, secretAccessKey, sessionToken } = cloud.assumeRole(ADMIN, ADMIN);
  return { accessKeyId, secretAccessKey, sessionToken };
}

function signalIn({ directory }: House): string {
  return path.join(directory, 'go');
}

function keyIn({ region }: Pick<LocalCloud, 'region'>): string {
  return `arn:aws:kms:${region}:${ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef`;
}

/** What the template's job is, on this machine: something that reads its secret and lives until a file is there. */
function jobOf(arn: string, signal: string): JobOfAnApp {
  return {
    id: NIGHTLY,
    argv: ['sh', '-c', `until [ -e '${signal}' ]; do sleep 0.1; done`],
    secrets: { PASSWORD: { kind: 'secretsmanager', arn } },
    overlap: 'queue',
    spotPolicy: 'spot',
    limits: { retries: [{ on: 'lost', times: 1 }] },
  };
}

/** What the resources of the template are called in the local cloud. */
function namesIn({ cloud }: House, nightly: Deployed, training: JobRole): Names {
  const { scaffold, region } = cloud;
  const role = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;
  return {
    'AWS::Partition': 'aws',
    'AWS::Region': region,
    'AWS::AccountId': ACCOUNT,
    'BucketKey.Arn': keyIn(cloud),
    RawCloudBucket: scaffold.bucket,
    'RawCloudBucket.Arn': `arn:aws:s3:::${scaffold.bucket}`,
    'RawCloudVmRole.Arn': role(VM_ROLE),
    'RawCloudVmRole.RoleId': scaffold.roleId,
    RawCloudLaunchTemplate: scaffold.launchTemplateId,
    'RawCloudVmSecurityGroup.GroupId': scaffold.securityGroupId,
    'NightlyJobVmRole.Arn': nightly.roleArn,
    'NightlyJobVmRole.RoleId': nightly.roleId,
    NightlyJobLaunchTemplate: nightly.launchTemplateId,
    'TrainingVmRole.Arn': training.roleArn,
    'TrainingVmRole.RoleId': training.roleId,
    TrainingLaunchTemplate: training.launchTemplateId,
    'RawCloudLaunchLogs.Arn': `arn:aws:logs:${region}:${ACCOUNT}:log-group:launch:*`,
    'RawCloudReaperLogs.Arn': `arn:aws:logs:${region}:${ACCOUNT}:log-group:reaper:*`,
    'RawCloudDeadLetters.Arn': `arn:aws:sqs:${region}:${ACCOUNT}:dead-letters`,
    'LimitedBucket.Arn': 'arn:aws:s3:::limited-bucket',
    'LimitedVmRole.Arn': role('limited-vm'),
    'LimitedVmRole.RoleId': 'AROALIMITED',
    LimitedLaunchTemplate: 'lt-0000000000limited',
    'LimitedVmSecurityGroup.GroupId': 'sg-0000000000limited',
    SharedBucket: 'shared-bucket',
    'SharedBucket.Arn': 'arn:aws:s3:::shared-bucket',
    'SharedVmRole.Arn': role('shared-vm'),
    'SharedVmRole.RoleId': 'AROASHARED',
    SharedLaunchTemplate: 'lt-00000000000shared',
    'SharedVmSecurityGroup.GroupId': 'sg-00000000000shared',
  };
}
