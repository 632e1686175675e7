import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DescribeInstanceAttributeCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { runAgent } from '../../lib/agent/agent';
import { placesIn } from '../../lib/agent/environment';
import { plainLauncher } from '../../lib/agent/launcher';
import { Phases } from '../../lib/agent/phases';
import type { AwsContext } from '../../lib/aws/clients';
import { createWireStore } from '../../lib/aws/wire-store';
import { bucketKeys, decodeJson, GrantSchema, systemClock, vmUserId } from '../../lib/contract';
import type { Grant, Store } from '../../lib/contract';
import { KEYS, URL } from './moto';

/** What the bootstrap knows: the values that the scaffolding put into the user data. */
export interface BootFacts {
  readonly bucket: string;
  readonly region: string;
  readonly roleId: string;
}

/** Reads an instance's user data, as its first boot would get it. @throws when it is not ours */
export async function bootFacts(aws: AwsContext, InstanceId: string): Promise<BootFacts> {
  const found = await (await aws.ec2()).send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute: 'userData' }));
  const script = Buffer.from(found.UserData?.Value ?? '', 'base64').toString();
  const [, bucket, region, roleId] = /^bucket='([^']+)' region='([^']+)' role_id='([^']+)'$/m.exec(script) ?? [];
  if (!bucket || !region || !roleId) throw new Error(`the user data of ${InstanceId} names no bucket: ${script.slice(0, 200)}`);
  return { bucket, region, roleId };
}

/**
 * An instance of moto's, which runs nothing, played by this process: boot as in the user data, then the real agent, and
 * power-off. Its command is a real process.
 */
export class PlayedVm {
  private constructor(
    readonly id: string,
    readonly vm: string,
    readonly grant: Grant,
    private readonly facts: BootFacts,
    private readonly store: Store & { close(): void },
    private readonly aws: AwsContext,
    private readonly over: AbortSignal,
  ) {}

  /** Waits for the grant, and checks agent and Node by their hashes. */
  static async boot(aws: AwsContext, id: string, signal: AbortSignal): Promise<PlayedVm> {
    const facts = await bootFacts(aws, id);
    const vm = vmUserId(facts.roleId, id);
    const credentials = () => Promise.resolve(KEYS);
    const store = createWireStore({ ...facts, endpoint: URL, credentials, clock: systemClock });
    const grant = await waitForGrant(store, vm, signal);
    for (const hash of [grant.agentSha256, grant.nodeSha256]) await checkArtifact(store, hash);
    return new PlayedVm(id, vm, grant, facts, store, aws, signal);
  }

  /** The agent's whole life, then the power-off, however it ended. */
  async run(): Promise<void> {
    const root = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-vm-'));
    const places = placesIn(root, path.join(root, 'state'));
    await mkdir(places.state);
    try {
      await runAgent({
        store: this.store,
        clock: systemClock,
        grant: this.grant,
        vm: this.vm,
        bootId: `boot of ${this.id}`,
        region: this.facts.region,
        places,
        phases: new Phases(systemClock),
        machine: { PATH: process.env['PATH'] },
        user: { isRoot: false, name: 'tester' },
        launcher: () => plainLauncher('tester'),
        metadata: { find: () => Promise.resolve(undefined) },
        roleCredentials: () => Promise.resolve(KEYS),
        readSecret: () => Promise.reject(new Error('no job here has secrets')),
        measureUsage: () => Promise.resolve(undefined),
        oomKills: () => Promise.resolve(0),
        goingDown: this.over,
      });
    } finally {
      await this.powerOff();
      await rm(root, { recursive: true, force: true });
    }
  }

  /** moto has no power button: to EC2 a VM that powers itself off with the behaviour `terminate` is as one that was terminated. */
  async powerOff(): Promise<void> {
    this.store.close();
    await (await this.aws.ec2()).send(new TerminateInstancesCommand({ InstanceIds: [this.id] }));
  }
}

const LOOK_MS = 20;

async function waitForGrant(store: Store, vm: string, signal: AbortSignal): Promise<Grant> {
  for (;;) {
    const found = await store.get(bucketKeys.grant(vm), { signal });
    if (typeof found !== 'string') return decodeJson(GrantSchema, found.body, 'the grant');
    await systemClock.sleep(LOOK_MS, signal);
  }
}

async function checkArtifact(store: Store, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of store.getStream(bucketKeys.agent(sha256))) hash.update(chunk);
  expect(hash.digest('hex')).toBe(sha256);
}
