import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { must } from '../house/command.mjs';
import { ROOT } from '../house/root.mjs';

const RECIPE = path.join(ROOT, 'test/vm/build-image.sh');

/** What ring 3 keeps from run to run, outside the repository. */
export const CACHE = path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'rawcloud', 'vm');

/** The image's directory: its name holds the recipe's hash, so a changed recipe is another image. */
export function imageDirectory() {
  const hash = createHash('sha256').update(readFileSync(RECIPE)).digest('hex').slice(0, 16);
  return path.join(CACHE, `image-${hash}`);
}

export function hasImage() {
  return existsSync(path.join(imageDirectory(), 'base.raw'));
}

/** Makes the image beside its place and moves it there whole. */
export async function buildImage() {
  const directory = imageDirectory();
  const draft = `${directory}.${process.pid}`;
  process.stderr.write(`ring 3: making the image of the VMs, once, about a minute: ${directory}\n`);
  mkdirSync(draft, { recursive: true });
  try {
    await must('bash', [RECIPE, draft], { stdio: ['ignore', 2, 2] });
    renameSync(draft, directory);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
