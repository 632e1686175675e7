/*
 * npm run test:moto [-- jest's arguments]: ring 2, the tests in test/moto against an emulator that we did not write.
 * Without python3 or PyPI it says `skipped: …` as its last line and exits 0.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from './house/command.mjs';
import { ensureInstalled } from './house/install.mjs';
import { ensureMoto, Unavailable } from './moto/environment.mjs';
import { startMoto } from './moto/server.mjs';
import { passedOver } from './moto/unproven.mjs';

const JEST = ['node_modules/jest/bin/jest.js', '--config', 'test/moto/jest.config.js', '--cacheDirectory', 'node_modules/.cache/jest'];

await ensureInstalled();
const { ensureBuilt } = await import('./house/build.mjs');
await ensureBuilt();
const directory = mkdtempSync(path.join(os.tmpdir(), 'rawcloud-moto-'));
try {
  await testWithMoto(await ensureMoto());
} catch (error) {
  if (error instanceof Unavailable) console.log(`skipped: ${error.message}`);
  else if (error.name === 'AbortError') process.exitCode = 130;
  else throw error;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function testWithMoto(python) {
  const log = path.join(directory, 'moto.log');
  const server = await startMoto(python, log);
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => ended.abort());
  try {
    // With a TMPDIR of ours nothing stays when the tests are interrupted.
    const env = { ...process.env, TMPDIR: directory, RAWCLOUD_MOTO_URL: server.url, RAWCLOUD_MOTO_LOG: log, RAWCLOUD_MOTO_PYTHON: python };
    process.exitCode = await run(process.execPath, [...JEST, ...process.argv.slice(2)], { env, signal: ended.signal });
    sayUnproven(log);
  } finally {
    await server.stop();
  }
}

/** What this ring does not prove, so that nobody believes it does. The list of known deviations is in test/contract/deviations.ts. */
function sayUnproven(log) {
  const types = passedOver(log);
  if (types.length > 0) process.stderr.write(`not proven here: moto's CloudFormation passes over ${types.join(', ')}\n`);
}
