import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { bundleAll } from './bundle.mjs';
import { BUNDLES } from './bundles.mjs';
import { must } from './command.mjs';
import { ROOT } from './root.mjs';
import { readStamp, sourceStamp, writeStamp } from './stamp.mjs';
import { writeThirdPartyLicenses } from './third-party.mjs';

export const DIST = path.join(ROOT, 'dist');

/**
 * Makes the bundles (CLI, agent, CDK app) unless the last ones were made from the same sources.
 * All that tests and the demo need; without tsc.
 * @returns {Promise<boolean>} whether anything was made
 */
export async function ensureBuilt(outDir = DIST) {
  const stampFile = path.join(outDir, '.bundles');
  const stamp = sourceStamp();
  if (readStamp(stampFile) === stamp && BUNDLES.every(({ out }) => existsSync(path.join(outDir, out)))) return false;
  // Without the stamp an interrupted or failed build is not taken for a whole one.
  rmSync(stampFile, { force: true });
  const packages = await bundleAll(outDir);
  writeThirdPartyLicenses(packages, path.join(outDir, 'THIRD_PARTY_LICENSES.txt'));
  writeStamp(stampFile, stamp);
  return true;
}

/** All that the package holds: the library by tsc (JavaScript and types), then the bundles. */
export async function buildAll(outDir = DIST) {
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const buildInfo = path.join(outDir, '.tsbuildinfo');
  await must(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir, '--tsBuildInfoFile', buildInfo]);
  await ensureBuilt(outDir);
}
