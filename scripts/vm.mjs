/*
 * npm run test:vm [-- [--install] jest's arguments]: ring 3, real VMs under QEMU.
 * Installs nothing unless --install is given, which needs root and apt. Where it cannot run it says `skipped: …` as its
 * last line and exits 0.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureInstalled } from './house/install.mjs';
import { run } from './house/command.mjs';
import { buildImage, CACHE, hasImage, imageDirectory } from './vm/image.mjs';
import { endProcessesOf } from './vm/leftovers.mjs';
import { install, missingPackages, whyNotRoot, whyNoVm } from './vm/tools.mjs';

/** @returns why the VMs cannot run; undefined when all is in place */
async function prepare(mayInstall) {
  const impossible = whyNoVm();
  if (impossible) return impossible;
  const missing = missingPackages({ image: !hasImage() });
  const notRoot = whyNotRoot();
  if (missing.length > 0) {
    const how = `apt-get install ${missing.join(' ')}`;
    if (!mayInstall) return `needed, as root: ${how} (or give --install)`;
    if (notRoot) return `${notRoot}, so that nothing can be installed; needed: ${how}`;
    const failure = await install(missing).then(
      () => undefined,
      (error) => error.message,
    );
    if (failure) return `the packages could not be installed: ${failure}`;
  }
  if (hasImage()) return undefined;
  if (notRoot) return `${notRoot}, so that the image of the VMs cannot be made; once there (${imageDirectory()}), anybody can use it`;
  await buildImage();
  return undefined;
}

const args = process.argv.slice(2);
const reason = await prepare(args.includes('--install'));
if (reason) {
  console.log(`skipped: no real VM was tested; ${reason}`);
  process.exit(0);
}
await ensureInstalled();
const { ensureBuilt } = await import('./house/build.mjs');
await ensureBuilt();
const node = path.join(CACHE, 'node');
mkdirSync(node, { recursive: true });
const jest = ['node_modules/jest/bin/jest.js', '--config', 'test/vm/jest.config.js', ...args.filter((arg) => arg !== '--install')];
// With a TMPDIR of ours nothing stays when the tests are interrupted.
const directory = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'rawcloud-vm-')));
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => ended.abort());
try {
  const env = { ...process.env, TMPDIR: directory, RAWCLOUD_TEST_VM_IMAGE: imageDirectory(), RAWCLOUD_TEST_VM_NODE: node };
  process.exitCode = await run(process.execPath, jest, { env, signal: ended.signal });
} catch (error) {
  if (error.name !== 'AbortError') throw error;
  process.exitCode = 130;
} finally {
  endProcessesOf(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}
