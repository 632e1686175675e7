/*
 * npm run test:packages [-- jest's arguments]: the tests in test/packages, with the real package tools, from the real registries.
 * Without python3 or PyPI it says `skipped: …` as its last line and exits 0.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './house/command.mjs';
import { ensureInstalled } from './house/install.mjs';
import { ensurePythonTools, Unavailable } from './house/python-tools.mjs';

const JEST = ['node_modules/jest/bin/jest.js', '--config', 'test/packages/jest.config.js', '--cacheDirectory', 'node_modules/.cache/jest'];
const REQUIREMENTS = fileURLToPath(new URL('packages/requirements.txt', import.meta.url));

await ensureInstalled();
const { ensureBuilt } = await import('./house/build.mjs');
await ensureBuilt();
const directory = mkdtempSync(path.join(os.tmpdir(), 'rawcloud-packages-'));
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => ended.abort());
try {
  const python = await ensurePythonTools({ name: 'package-tools', requirements: REQUIREMENTS });
  // With a TMPDIR of ours nothing stays when the tests are interrupted.
  const env = { ...process.env, TMPDIR: directory, RAWCLOUD_PACKAGES_PYTHON: python };
  process.exitCode = await run(process.execPath, [...JEST, ...process.argv.slice(2)], { env, signal: ended.signal });
} catch (error) {
  if (error instanceof Unavailable) console.log(`skipped: ${error.message}`);
  else if (error.name === 'AbortError') process.exitCode = 130;
  else throw error;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
