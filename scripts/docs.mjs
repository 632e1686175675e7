import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './house/root.mjs';

/** Writes the pages of docs/ that are made from the code: `npm run docs`. */
const directory = mkdtempSync(path.join(os.tmpdir(), 'rawcloud-docs-'));
try {
  const outfile = path.join(directory, 'pages.cjs');
  await build({ absWorkingDir: ROOT, entryPoints: ['bin/docs/pages.ts'], outfile, bundle: true, platform: 'node', format: 'cjs' });
  for (const { path: file, text } of createRequire(import.meta.url)(outfile).pages()) {
    writeFileSync(path.join(ROOT, file), text);
    console.log(file);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
