import { VmHouse } from './vm-house';

let house: VmHouse;

beforeEach(async () => {
  house = await VmHouse.open();
});

afterEach(async () => {
  await house.close();
});

test('a job runs as its own user, in a unit of its own; its output, exit code and result arrive, and the VM powers off', async () => {
  const ended = await house.rawcloud(['run', '--', 'sh', '-c', 'id -un; cat /proc/self/cgroup; echo err >&2; exit 7']);
  expect(ended.stdout.toString()).toBe('rawcloud-job\n0::/system.slice/rawcloud-task.scope\n');
  expect(ended.stderr).toMatch(/^err$/m);
  expect(ended.code).toBe(7);
  await house.gone();
  expect(await house.console()).toMatch(/reboot: Power down/);
});
