import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from './command.mjs';
import { ensureInstalled } from './install.mjs';
import { Unavailable } from './python-tools.mjs';

/**
 * A ring of tests that needs tools from PyPI: in a directory of its own, of which nothing stays. Where the tools cannot be had the last
 * line is `skipped: …`, and the exit code 0; an interrupted one exits with 130.
 * @param {string} name of the ring: its tests are in test/<name>, by that directory's jest.config.js
 * @param {(ring: { directory: string, jest: (variables: Record<string, string>) => Promise<void> }) => Promise<void>} work
 *   gets the tools, and calls `jest`, which runs the tests with our own arguments and these variables
 */
export async function runRing(name, work) {
  await ensureInstalled();
  const { ensureBuilt } = await import('./build.mjs');
  await ensureBuilt();
  const directory = mkdtempSync(path.join(os.tmpdir(), `rawcloud-${name}-`));
  const ended = new AbortController();
  const jest = async (variables) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => ended.abort());
    const config = ['--config', `test/${name}/jest.config.js`, '--cacheDirectory', 'node_modules/.cache/jest'];
    // With a TMPDIR of ours nothing stays when the tests are interrupted.
    const env = { ...process.env, TMPDIR: directory, ...variables };
    const args = ['node_modules/jest/bin/jest.js', ...config, ...process.argv.slice(2)];
    process.exitCode = await run(process.execPath, args, { env, signal: ended.signal });
  };
  try {
    await work({ directory, jest });
  } catch (error) {
    if (error instanceof Unavailable) console.log(`skipped: ${error.message}`);
    else if (error.name === 'AbortError') process.exitCode = 130;
    else throw error;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
