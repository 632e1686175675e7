import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { userData } from '../../lib/contract';
import type { BootLimits } from '../../lib/contract';
import { startLocalCloud } from '../../lib/local/cloud';
import type { LocalCloud } from '../../lib/local/cloud';
import { createQemuDriver } from '../../lib/local/drivers/qemu';
import { Developer } from '../e2e/developer';

/** The longest a VM of a test may take to go: software emulation is slow, and so is a shutdown in it. */
const GONE_WITHIN_MS = 240_000;

/**
 * A developer whose account is a local cloud with real VMs. The CLI does not know that it is local: it is given an
 * endpoint and keys, so that it does all it would do at AWS, down to the Node of the product.
 */
export class VmHouse extends Developer {
  private constructor(
    directory: string,
    readonly cloud: LocalCloud,
  ) {
    super(directory, cloud.stateDir);
  }

  static async open(limits: BootLimits = {}): Promise<VmHouse> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-vm-'));
    const cloud = await startLocalCloud({
      stateDir: path.join(directory, 'state'),
      driver: createQemuDriver({ imageDir: given('RAWCLOUD_TEST_VM_IMAGE') }),
      userData: (facts) => userData(facts, limits),
      imageNode: false,
      graceMs: GONE_WITHIN_MS,
      log: (line) => process.stderr.write(`${line}\n`),
    });
    const house = new VmHouse(directory, cloud);
    await house.moveIn();
    // What it is for is never in the cache of a developer who has just begun; the Node of VMs is 50 MB, though.
    await mkdir(path.join(directory, 'cache/rawcloud'), { recursive: true });
    await symlink(given('RAWCLOUD_TEST_VM_NODE'), path.join(directory, 'cache/rawcloud/node'));
    return house;
  }

  override get env(): Record<string, string> {
    const { RAWCLOUD_LOCAL: _local, RAWCLOUD_LOCAL_DIR: _directory, ...env } = super.env;
    const { accessKeyId, secretAccessKey } = this.cloud.credentials;
    return {
      ...env,
      AWS_ENDPOINT_URL: this.cloud.url,
      AWS_REGION: this.cloud.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
  }

  /** The one VM of the test. */
  get vm(): string {
    const [id, ...others] = this.cloud.ec2.instances().map((i) => i.id);
    if (id === undefined || others.length > 0) throw new Error(`one VM was expected, there are ${others.length + (id ? 1 : 0)}`);
    return id;
  }

  /** Resolves when EC2 calls the VM terminated. @returns why */
  async gone(): Promise<string | undefined> {
    const { stateReason } = await this.cloud.ec2.whenState(this.vm, 'terminated', AbortSignal.timeout(GONE_WITHIN_MS));
    return stateReason?.code;
  }

  console(): Promise<string> {
    return this.cloud.ec2.consoleOutput(this.vm);
  }

  bootLog(): Promise<string> {
    return this.rawcloud(['logs', '--boot']).then((ended) => ended.stdout.toString());
  }

  /** The VM went off in order: nothing had to be waited for or killed, as systemd does for 90 s. */
  async expectCleanEnd(): Promise<void> {
    const console = await this.console();
    expect(console).toMatch(/reboot: Power down/);
    expect(console).not.toMatch(/Waiting for process|stop job is running/);
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.killAll();
    if (process.env['RAWCLOUD_TEST_VM_VERBOSE'])
      for (const { id } of this.cloud.ec2.instances()) process.stderr.write(await this.cloud.ec2.consoleOutput(id));
    for (const id of this.cloud.ec2.running) await this.cloud.ec2.kill(id);
    await this.cloud.close();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start these tests with npm run test:vm`);
  return value;
}
