import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { buildAll } from '../house/build.mjs';
import { ROOT } from '../house/root.mjs';
import { output } from './output.mjs';

const BESIDE_DIST = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];

/** Builds into a directory of its own (others may run what is in dist/) and packs that. @returns the tarball's path */
export async function pack(stage) {
  mkdirSync(stage, { recursive: true });
  await buildAll(path.join(stage, 'dist'));
  for (const file of BESIDE_DIST) copyFileSync(path.join(ROOT, file), path.join(stage, file));
  const [{ filename }] = JSON.parse(await output('npm', ['pack', '--ignore-scripts', '--json'], { cwd: stage }));
  return path.join(stage, filename);
}
