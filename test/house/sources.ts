import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Sources } from './imports';

export const ROOT = path.resolve(__dirname, '../..');

/** The product's TypeScript: `lib`, `bin`, `lambda`. */
export function readSources(): Sources {
  return new Map(['lib', 'bin', 'lambda'].flatMap(filesUnder).map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]));
}

function filesUnder(directory: string): string[] {
  // Git keeps no directory without files.
  if (!existsSync(path.join(ROOT, directory))) return [];
  return readdirSync(path.join(ROOT, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
}
