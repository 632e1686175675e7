import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { must } from './command.mjs';
import { ROOT } from './root.mjs';

/** Runs `npm ci` unless node_modules holds what package-lock.json asks for: a fresh clone sets itself up. */
export async function ensureInstalled() {
  if (isInstalled(ROOT)) return;
  process.stderr.write('node_modules is missing or does not fit package-lock.json: npm ci\n');
  await must('npm', ['ci', '--no-audit', '--no-fund'], { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
}

/**
 * Compares versions, not times: `git checkout` gives the lock file a new time, npm the same packages.
 * Optional packages of other platforms are rightly absent.
 */
export function isInstalled(root) {
  const wanted = path.join(root, 'package-lock.json');
  const present = path.join(root, 'node_modules/.package-lock.json');
  if (!existsSync(present)) return false;
  const have = packagesOf(present);
  return Object.entries(packagesOf(wanted)).every(([at, { version, optional }]) => at === '' || optional || have[at]?.version === version);
}

function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}
