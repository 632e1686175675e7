import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { BuildIo } from '../../contract';
import { findExecutable } from '../executable';

/** Where PATH finds a program; undefined when it does not. Directories that depend on where one stands do not count. */
export function findProgram(name: string, io: Pick<BuildIo, 'env'>): string | undefined {
  const directories = (io.env['PATH'] ?? '').split(path.delimiter).filter((directory) => path.isAbsolute(directory));
  const found = findExecutable(name, directories.join(path.delimiter), '/');
  return typeof found === 'string' ? undefined : found.path;
}

/** Long enough for a cold disk. */
const ANSWER_TIMEOUT_MS = 30_000;

/** What a program prints when asked something small; undefined when it fails. Nothing of it goes to the log. */
export async function answerOf(program: string, args: readonly string[], io: BuildIo): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      env: io.env,
      cwd: io.directory,
      signal: io.signal,
      timeout: ANSWER_TIMEOUT_MS,
    });
    return stdout.trim();
  } catch {
    io.signal.throwIfAborted();
    return undefined;
  }
}

/** A directory with nothing but links, by name. Made anew when it is there. */
export async function linkDirectory(directory: string, links: Readonly<Record<string, string>>): Promise<string> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const [name, target] of Object.entries(links)) await symlink(target, path.join(directory, name));
  return directory;
}

/** True for anything, links to nothing included. */
export async function isThere(place: string): Promise<boolean> {
  return lstat(place).then(
    () => true,
    () => false,
  );
}

/** A gzipped tar among the layer's sources. `strip`: directories at its top that are left out. */
export async function unpack(sha256: string, directory: string, io: BuildIo, strip = 0): Promise<void> {
  await mkdir(directory, { recursive: true });
  const archive = path.join(io.directory, `${sha256}.tgz`);
  await writeFile(archive, await io.source(sha256));
  // Owners of archives are users of other machines.
  await io.run('tar', ['-xzf', archive, '-C', directory, `--strip-components=${strip}`, '--no-same-owner']);
  await rm(archive);
}

/**
 * Links `place` (in the tree) to what was built, and never over something: files of the job come first.
 * A directory that holds nothing but `remains` counts as nothing: it is what a word of the command brought along.
 * @returns false when something else is there
 */
export async function linkInTree(
  place: string,
  target: string,
  isRemains: (names: readonly string[]) => boolean = () => false,
): Promise<boolean> {
  const there = await lstat(place).catch(() => undefined);
  if (there && !(there.isDirectory() && isRemains(await readdir(place)))) return false;
  if (there) await rm(place, { recursive: true });
  await mkdir(path.dirname(place), { recursive: true });
  await symlink(target, place);
  return true;
}
