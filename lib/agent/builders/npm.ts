import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BuildIo, NodeRecipe } from '../../contract';
import { findProgram } from './programs';

/** A way to run npm. */
export interface Npm {
  readonly command: readonly [string, ...string[]];
  /** By name, what the job's PATH must link to; nothing when the VM has npm on PATH itself. */
  readonly links: Readonly<Record<string, string>>;
}

/** The VM's npm, else the one that travelled with the layer; undefined when there is neither. */
export async function findNpm(recipe: NodeRecipe, node: string, io: BuildIo): Promise<Npm | undefined> {
  const there = findProgram('npm', io);
  if (there) return { command: [there], links: {} };
  if (!recipe.npm) return undefined;
  const directory = path.join(io.directory, 'npm');
  if (!io.restored) {
    io.log(`unpacking npm ${recipe.npm.version}`);
    await mkdir(directory, { recursive: true });
    const archive = path.join(io.directory, 'npm.tgz');
    await writeFile(archive, await io.source(recipe.npm.archive));
    await io.run('tar', ['-xzf', archive, '-C', directory]);
  }
  const script = (name: string): string => path.join(directory, 'bin', `${name}-cli.js`);
  return { command: [node, script('npm')], links: { npm: script('npm'), npx: script('npx') } };
}
