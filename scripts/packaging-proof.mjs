/*
 * Packs the package as npm would publish it, puts it into fresh projects and uses it there as people do: CommonJS,
 * ES modules, TypeScript of both kinds, with aws-cdk-lib and without.
 *
 *   node scripts/packaging-proof.mjs             dependencies are linked from here: quick, and no network
 *   node scripts/packaging-proof.mjs --install   dependencies are installed by npm, as a user's are
 *
 * One line a check on stdout; exits 1 when one failed.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureInstalled } from './house/install.mjs';

await ensureInstalled();
const { CHECKS } = await import('./proof/checks.mjs');
const { pack } = await import('./proof/pack.mjs');
const { makeProjects } = await import('./proof/projects.mjs');

const directory = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'rawcloud-proof-'));
try {
  const tarball = await pack(path.join(directory, 'stage'));
  const projects = await makeProjects(tarball, directory, { install: process.argv.includes('--install') });
  for (const [name, check] of Object.entries(CHECKS)) await report(name, () => check(projects));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function report(name, check) {
  try {
    await check();
    console.log(`ok ${name}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`failed ${name}: ${error.message}`);
  }
}
