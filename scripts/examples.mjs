/*
 * npm run examples [-- --install] [-- NAME …]: synthesizes the examples and runs their tests as users would, with this package
 * installed as npm would publish it. One installation serves all: npm workspaces.
 *
 *   npm run examples                  their packages are linked from here: no network
 *   npm run examples -- --install     they are installed by npm, by each example's package.json
 *   npm run examples -- hourly-job    that one only
 *
 * One line an example on stdout; exits 1 when one failed.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureInstalled } from './house/install.mjs';

await ensureInstalled();
const { checkExample, exampleNames, makeWorkspace } = await import('./proof/examples.mjs');
const { pack } = await import('./proof/pack.mjs');

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const directory = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'rawcloud-examples-'));
try {
  const names = exampleNames(wanted);
  const tarball = await pack(path.join(directory, 'stage'));
  const workspace = await makeWorkspace(tarball, path.join(directory, 'workspace'), names, { install: process.argv.includes('--install') });
  for (const name of names) await report(name, () => checkExample(workspace, name));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function report(name, check) {
  try {
    console.log(`ok ${name}: ${await check()}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`failed ${name}: ${error.message}`);
  }
}
