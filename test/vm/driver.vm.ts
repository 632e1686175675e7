import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { MachineSpec } from '../../lib/contract';
import { machineDirectory } from '../../lib/local/drivers/machine-directory';
import { createQemuDriver } from '../../lib/local/drivers/qemu';

/* What the driver does whatever the guest does: none of these VMs gets to boot. */

let directory: string;
let spec: MachineSpec;
const driver = createQemuDriver({ imageDir: process.env['RAWCLOUD_TEST_VM_IMAGE'] ?? '', memoryMiB: 128 });

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-qemu-'));
  const urls = { imdsUrl: 'http://127.0.0.1:1', endpointUrl: 'http://127.0.0.1:2' };
  spec = { id: 'i-0123456789abcdef0', root: path.join(directory, 'a, b', 'i-0123456789abcdef0'), userData: Buffer.from(''), ...urls };
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const files = (): ReturnType<typeof machineDirectory> => machineDirectory(spec.root);

test('a VM is adopted, by as many as like, and all learn of its end', async () => {
  const machine = await driver.start(spec);
  const adopted = await driver.adopt(spec);
  await adopted!.kill();
  expect(await Promise.all([machine.exited, adopted!.exited])).toEqual(['killed', 'killed']);
  expect(await (await driver.adopt(spec))!.exited).toBe('killed');
});

test('a VM whose QEMU is gone without a word has crashed', async () => {
  const machine = await driver.start(spec);
  process.kill(Number(await readFile(files().pid, 'utf8')), 'SIGKILL');
  expect(await machine.exited).toBe('crashed');
  expect(existsSync(files().pid)).toBe(false);
});

test('a guest that does not hear the power button is ended after the grace', async () => {
  const machine = await driver.start(spec);
  await machine.powerOff(50);
  expect(await machine.exited).toBe('killed');
  // Nobody is there to be asked any more.
  await machine.powerOff(50);
  await machine.reboot();
});

test('a VM that is off starts again on the same disk', async () => {
  await (await driver.start(spec)).kill();
  const again = await driver.start(spec);
  expect(existsSync(files().exit)).toBe(false);
  await again.kill();
  expect(await again.exited).toBe('killed');
});

test('where there never was a VM none is adopted', async () => {
  expect(await driver.adopt(spec)).toBeUndefined();
});

test('fails without an image, and says what it needs', async () => {
  await expect(createQemuDriver({ imageDir: directory }).start(spec)).rejects.toMatchObject({
    code: 'E_LOCAL_CLOUD',
    remedy: expect.stringContaining('build-image.sh') as string,
  });
});
