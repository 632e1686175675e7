import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, rm, symlink } from 'node:fs/promises';
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
