import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { VmHouse } from './vm-house';

let house: VmHouse;

beforeEach(async () => {
  house = await VmHouse.open();
});

afterEach(async () => {
  await house.close();
});

/** What runs on the VM besides the command, as root. */
const AGENT = "$(pgrep -f '[r]awcloud/agent.js')";
const BOOT_SCRIPTS = "$(pgrep -f '[p]art-001')";

/** A job that says `begun`, leaves time for that to be shipped, and then does something to its VM. */
async function runThat(...lines: readonly string[]): ReturnType<VmHouse['rawcloud']> {
  await house.write({ 'job.sh': ['echo begun', 'sleep 3', ...lines, 'sleep 600'].join('\n') });
  return house.rawcloud(['run', '--root', '--', 'sh', 'job.sh']);
}

test('an agent that is killed: the trap ships the boot log and powers off, and the job is lost', async () => {
  const ended = await runThat(`kill -KILL ${AGENT}`);
  expect(ended).toMatchObject({ code: 123, stdout: Buffer.from('begun\n') });
  expect(await house.gone()).toBe('Client.InstanceInitiatedShutdown');
  expect(await house.bootLog()).toMatch(/the boot script ends with 137, powering off/);
  await house.expectCleanEnd();
});

test('agent and boot script that stand still: the guard powers off at the deadline, and the job is lost', async () => {
  const ended = await runThat(
    `kill -STOP ${BOOT_SCRIPTS} ${AGENT}`,
    'read -r now _ </proc/uptime; echo "$((${now%.*} + 3))" >/var/lib/rawcloud/deadline',
  );
  expect(ended).toMatchObject({ code: 123, stdout: Buffer.from('begun\n') });
  expect(await house.gone()).toBe('Client.InstanceInitiatedShutdown');
  expect(await house.console()).toMatch(/rawcloud guard: the deadline is reached, powering off/);
  await house.expectCleanEnd();
});

/* The older of the two waits for the other. */
test('a boot script that is killed takes the VM with it, and the job is lost', async () => {
  const ended = await runThat(`kill -KILL $(pgrep -n -f '[p]art-001$')`);
  expect(ended).toMatchObject({ code: 123, stdout: Buffer.from('begun\n') });
  expect(await house.gone()).toBe('Client.InstanceInitiatedShutdown');
});

test('user data that fails half-way ships its log, the VM ends, and that is 121', async () => {
  const [record] = (await readdir(process.env['RAWCLOUD_TEST_VM_NODE']!)).filter((name) => name.endsWith('.json'));
  const { sha256 } = JSON.parse(await readFile(path.join(process.env['RAWCLOUD_TEST_VM_NODE']!, record!), 'utf8')) as { sha256: string };
  house.cloud.faults.arm({
    operation: 'GetObject',
    resource: `v1/agent/${sha256}`,
    skip: 1,
    count: 1000,
    effect: { kind: 'error', status: 404, code: 'NoSuchKey' },
  });
  const ended = await house.rawcloud(['run', 'true']);
  expect(ended.code).toBe(121);
  await house.gone();
  expect(await house.bootLog()).toMatch(/cannot fetch v1\/agent\/.*\n(.*\n)*.*the boot script ends with 1 \(node\), powering off/);
  await house.expectCleanEnd();
});
