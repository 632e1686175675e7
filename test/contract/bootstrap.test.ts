import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { bucketKeys, encodeGrant, jobKeys, USER_DATA_LIMIT_BYTES, userData, vmUserId } from '../../lib/contract';
import { processesWith } from '../setup/processes';
import { INTERVALS, PREFIX, ROLE_ID } from '../fakes/records';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud, TestCloudOptions } from '../fakes/local-cloud';
import { launch } from '../local/launching';

const FACTS = { bucket: 'rawcloud-123456789012-us-east-1', region: 'us-east-1', roleId: ROLE_ID };
const SECRET = 'not-for-the-log';

/** An agent that says what it was handed; the grant is still there while it runs. */
const TELLS = `
const fs = require('node:fs');
const names = ['RAWCLOUD_VM', 'RAWCLOUD_BUCKET', 'RAWCLOUD_REGION', 'RAWCLOUD_STATE', 'RAWCLOUD_PHASES'];
const told = Object.fromEntries(names.map((name) => [name, process.env[name]]));
const grant = process.env.RAWCLOUD_GRANT;
told.grant = JSON.parse(fs.readFileSync(grant, 'utf8'));
told.mode = (fs.statSync(grant).mode & 0o777).toString(8);
console.log('the agent speaks');
fs.writeFileSync(process.env.RAWCLOUD_ROOT + '/told', JSON.stringify(told) + '\\n');
`;

/** One VM with the real user data in a cloud of its own, and an agent of the test's. */
interface Vm {
  readonly test: TestCloud;
  readonly id: string;
  readonly name: string;
  /** Puts the grant that the VM waits for. */
  grant(): Promise<void>;
  gone(): Promise<void>;
  bootLog(): Promise<string>;
  console(): Promise<string>;
}

async function withVm(agent: string, use: (vm: Vm) => Promise<void>, options: TestCloudOptions = {}): Promise<void> {
  await withLocalCloud({ imageNode: true, ...options }, async (test) => {
    const { cloud, s3, ec2 } = test;
    const { bucket, roleId, launchTemplateId } = cloud.scaffold;
    const put = (key: string, body: Uint8Array): Promise<unknown> =>
      s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    const agentSha256 = createHash('sha256').update(agent).digest('hex');
    const nodeSha256 = createHash('sha256')
      .update(await readFile(process.execPath))
      .digest('hex');
    await put(bucketKeys.agent(agentSha256), Buffer.from(agent));
    const id = await launch({ ec2 }, { LaunchTemplate: { LaunchTemplateId: launchTemplateId } });
    const name = vmUserId(roleId, id);
    const variables = { TOKEN: SECRET };
    const grant = { v: 1 as const, prefix: PREFIX, nodeSha256, agentSha256, serial: 0, variables, intervals: INTERVALS, lifetimeUntil: 0 };
    await use({
      test,
      id,
      name,
      grant: async () => void (await put(bucketKeys.grant(name), encodeGrant(grant))),
      gone: async () => void (await cloud.ec2.whenState(id, 'terminated', AbortSignal.timeout(20_000))),
      bootLog: async () => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: jobKeys.bootLog(PREFIX, name) }));
        return Body!.transformToString();
      },
      console: () => readFile(test.file(id, '.machine/console.log'), 'utf8'),
    });
  });
}

describe('user data', () => {
  test('is a script that bash accepts, far below the limit, and the same for every job', () => {
    const script = userData(FACTS);
    expect(Buffer.byteLength(script)).toBeLessThan(USER_DATA_LIMIT_BYTES);
    execFileSync('bash', ['-n'], { input: script });
    expect(userData(FACTS)).toBe(script);
    expect(script).not.toMatch(/@[A-Z_]+@|\\\$\{/);
    for (const value of Object.values(FACTS)) expect(script).toContain(value);
  });

  test('hands the agent what it needs, and powers off when the agent has ended', async () => {
    await withVm(TELLS, async (vm) => {
      await vm.grant();
      const told = JSON.parse(await vm.test.line(vm.id, 'told')) as Record<string, string> & { grant: { prefix: string } };
      await vm.gone();
      expect(told).toMatchObject({
        RAWCLOUD_VM: vm.name,
        RAWCLOUD_BUCKET: vm.test.cloud.scaffold.bucket,
        RAWCLOUD_REGION: 'us-east-1',
        mode: '600',
      });
      expect(told['RAWCLOUD_PHASES']).toMatch(/^boot \d{13} \d{13} grant \d{13} \d{13} node \d{13}$/);
      expect(told.grant.prefix).toBe(PREFIX);
    });
  });

  test('ships the boot log with all that was said, and no secret in it', async () => {
    await withVm(TELLS, async (vm) => {
      await vm.grant();
      await vm.gone();
      const log = await vm.bootLog();
      expect(log).toMatch(/rawcloud: VM i-[0-9a-f]{17}\nthe agent speaks\nrawcloud: the boot script ends with 0, powering off\n$/);
      const console = await vm.console();
      expect(console).toContain(log);
      expect(console).not.toMatch(new RegExp(`${SECRET}|ASIA|security-token|${PREFIX}`));
    });
  });

  test('waits for a grant that comes after the VM', async () => {
    await withVm(TELLS, async (vm) => {
      const refused = async (): Promise<void> => {
        while (!vm.test.cloud.calls.recent().some((call) => call.code === 'AccessDenied')) await new Promise(setImmediate);
      };
      await refused();
      await vm.grant();
      await vm.gone();
      expect(await vm.bootLog()).toContain('the agent speaks');
    });
  });

  test('fetches nothing but the agent where the image ships Node', async () => {
    await withVm(TELLS, async (vm) => {
      await vm.grant();
      await vm.gone();
      const fetched = vm.test.cloud.calls
        .recent()
        .filter(({ operation, resource }) => operation === 'GetObject' && resource.includes('v1/agent/'));
      expect(fetched).toHaveLength(1);
    });
  });

  test('fails at once when the signature is refused, and says so on the console', async () => {
    await withVm(
      TELLS,
      async (vm) => {
        await vm.gone();
        expect(await vm.console()).toMatch(/S3 refuses .*SignatureDoesNotMatch[\s\S]*ends with 1 \(SignatureDoesNotMatch\), powering off/);
      },
      withFault('v1/private/', 403, 'SignatureDoesNotMatch'),
    );
  });

  test('fails with a log in the bucket and a VM that is gone when the agent is killed', async () => {
    await withVm(`console.log('begun'); process.kill(process.pid, 'SIGKILL');`, async (vm) => {
      await vm.grant();
      await vm.gone();
      expect(await vm.bootLog()).toMatch(/begun\n[\s\S]*the boot script ends with 137, powering off/);
    });
  });

  test('fails when what lies under the agent’s hash is something else', async () => {
    await withVm(TELLS, async (vm) => {
      const { bucket } = vm.test.cloud.scaffold;
      const sha256 = createHash('sha256').update(TELLS).digest('hex');
      await vm.test.s3.send(new PutObjectCommand({ Bucket: bucket, Key: bucketKeys.agent(sha256), Body: 'evil()' }));
      await vm.grant();
      await vm.gone();
      expect(await vm.bootLog()).toMatch(/does not have that hash[\s\S]*ends with 1 \(agent\)/);
    });
  });
});

/** What no agent ends: it has to be ended. */
const STAYS = `require('node:fs').writeFileSync(process.env.RAWCLOUD_ROOT + '/begun', 'yes\\n'); setInterval(() => {}, 1000);`;

describe('the guard', () => {
  test('ends the VM at its deadline, though agent and boot script stand still', async () => {
    await withVm(
      STAYS,
      async (vm) => {
        await vm.grant();
        await vm.test.line(vm.id, 'begun');
        const own = processesWith(vm.test.directory).filter(({ command }) => /\/(user-data|agent\.js)$/.test(command));
        expect(own.length).toBeGreaterThanOrEqual(2);
        for (const { pid } of own) process.kill(pid, 'SIGSTOP');
        await writeFile(vm.test.file(vm.id, 'var/lib/rawcloud/deadline'), '1\n');
        await vm.gone();
        expect(await vm.console()).toMatch(/guard: .*deadline.*powering off/);
      },
      { graceMs: 200 },
    );
  });

  test('ends a VM that boots a second time', async () => {
    await withVm(STAYS, async (vm) => {
      await vm.grant();
      await vm.test.line(vm.id, 'begun');
      await vm.test.cloud.ec2.reboot(vm.id);
      await vm.gone();
      expect(await vm.console()).toMatch(/guard: .*boot.*powering off/);
    });
  });

  test('is a script that outlives the boot', async () => {
    await withVm(STAYS, async (vm) => {
      await vm.grant();
      await vm.test.line(vm.id, 'begun');
      await access(path.join(vm.test.file(vm.id, 'etc/rc.d'), 'rawcloud-guard'));
      execFileSync('bash', ['-n', vm.test.file(vm.id, 'var/lib/rawcloud/guard')]);
      await vm.test.cloud.ec2.kill(vm.id);
    });
  });
});

/** A cloud that refuses from the first request on. */
function withFault(resource: string, status: number, code: string): TestCloudOptions {
  return {
    control: (cloud) => {
      cloud.faults.arm({ operation: 'GetObject', resource, count: 1000, effect: { kind: 'error', status, code } });
      return () => false;
    },
  };
}
