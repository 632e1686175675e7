import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './root.mjs';

/** What the build is made from; packages are covered by the lock file. */
const SOURCES = ['bin', 'lib', 'lambda', 'scripts/house', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** SHA-256 over names and contents of all sources: a few milliseconds, and right where times are wrong. */
export function sourceStamp() {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap((source) => filesUnder(source))) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(path.join(ROOT, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(relative) {
  const absolute = path.join(ROOT, relative);
  if (!existsSync(absolute)) return [];
  if (/\.[a-z]+$/.test(relative)) return [relative];
  return readdirSync(absolute, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(`${relative}/${entry.name}`) : [`${relative}/${entry.name}`]));
}

export function readStamp(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

export function writeStamp(file, stamp) {
  writeFileSync(file, stamp);
}
