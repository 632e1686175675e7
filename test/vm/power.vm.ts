import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { machineDirectory } from '../../lib/local/drivers/machine-directory';
import type { Running } from '../e2e/developer';
import { VmHouse } from './vm-house';

let house: VmHouse;

beforeEach(async () => {
  house = await VmHouse.open();
});

afterEach(async () => {
  await house.close();
});

/** A job on a VM that has said that it runs. */
async function begun(script: string): Promise<Running> {
  const running = house.start(['run', '--', 'sh', '-c', script]);
  await running.saw(/begun/);
  return running;
}

test('the power button: the command is asked to end, what it says last arrives, the job is lost, and nothing stays', async () => {
  const running = await begun("trap 'echo last words; exit 0' TERM; echo begun; while :; do sleep 1; done");
  await house.cloud.ec2.powerOff(house.vm);
  const ended = await running.ended;
  expect(ended).toMatchObject({ code: 123, stdout: Buffer.from('begun\nlast words\n') });
  expect(await house.bootLog()).toMatch(/the boot script ends with 143, powering off/);
  await house.expectCleanEnd();
});

test('a VM that is reset boots once more and powers off at once, and the job is lost', async () => {
  const running = await begun('echo begun; exec sleep 600');
  await house.cloud.ec2.reboot(house.vm);
  expect((await running.ended).code).toBe(123);
  expect(await house.gone()).toBe('Client.InstanceInitiatedShutdown');
  const console = await house.console();
  expect(console).toMatch(/rawcloud guard: this is not the first boot, powering off/);
  expect(console.match(/rawcloud: VM i-/g)).toHaveLength(1);
});

test('a host that dies: the job is lost, with no byte that was shipped', async () => {
  const running = await begun('echo begun; exec sleep 600');
  const { pid } = machineDirectory(path.join(house.cloud.stateDir, 'machines', house.vm));
  process.kill(Number(await readFile(pid, 'utf8')), 'SIGKILL');
  expect(await running.ended).toMatchObject({ code: 123, stdout: Buffer.from('begun\n') });
  expect(await house.gone()).toMatch(/^Server\./);
});
