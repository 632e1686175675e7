import path from 'node:path';
import { canonicalName, findRawcloudError, RawcloudError } from '../../../contract';
import type { CaptureContext, Notice } from '../../../contract';
import { upwards } from '../../executables';
import { differences, few, isSame } from './compare';
import type { Installed } from './compare';
import type { Target } from './hashes';
import { indexOf, lineWithHashes, linesOf } from './lines';
import type { LockedLines } from './lines';
import { LOCKFILES, lockfilesIn, readLockfile } from './lockfile';
import type { Lockfile } from './lockfile';

/** An installed package, and how it is asked for by itself. */
export interface InstalledPackage extends Installed {
  /** Absent for what no index gives. */
  readonly line?: string;
}

export interface Chosen extends LockedLines {
  readonly notices: readonly Notice[];
  /** Set when the lockfile is taken, whatever is installed. */
  readonly lockfile?: Lockfile;
}

/**
 * What a run installs: what is installed here; with the hashes and indexes of a lockfile of the project that says the same. Where
 * they differ, that is said, and `--packages lock` takes the lockfile.
 * @throws E_PACKAGE when a lockfile is asked for and none can be used
 */
export async function choosePackages(installed: readonly InstalledPackage[], target: Target, context: CaptureContext): Promise<Chosen> {
  const plain = { lines: installed.flatMap(({ line }) => line ?? []).sort(), indexes: {}, notices: [] };
  if (context.packages === 'installed') return plain;
  const { files, directory } = await nearestLockfiles(context);
  if (context.packages === 'lock') return takeLockfile(files, installed, target, context);
  const unread: Notice[] = [];
  const read: Lockfile[] = [];
  for (const file of files) {
    try {
      read.push(await readLockfile(file, target, context.cwd));
    } catch (error) {
      const known = findRawcloudError(error);
      if (known?.code !== 'E_PACKAGE') throw error;
      unread.push({ level: 'warning', text: `${known.message}; what is installed is taken` });
    }
  }
  const compared = read.map((lockfile) => ({ lockfile, differs: differences(installed, lockfile) }));
  const same = compared.find(({ differs }) => differs.length === 0);
  if (same) return { ...withHashesOf(same.lockfile, installed, target), notices: [] };
  const [first] = compared;
  if (!first) return { ...plain, notices: unread };
  const name = path.relative(directory, first.lockfile.file);
  const text = `${name} and what is installed differ (${few(first.differs)}): what is installed is taken; --packages lock takes ${name}`;
  return { ...plain, notices: [{ level: 'info', text }] };
}

async function takeLockfile(
  files: readonly string[],
  installed: readonly InstalledPackage[],
  target: Target,
  { cwd, root }: CaptureContext,
): Promise<Chosen> {
  const [file] = files;
  if (file === undefined) {
    throw new RawcloudError('E_PACKAGE', `there is no lockfile to take packages from, in ${cwd} and above it up to ${root}`, {
      remedy: `Write one; ${Object.keys(LOCKFILES).join(', ')} (with hashes) are read. Without --packages lock, what is installed here is taken.`,
    });
  }
  const lockfile = await readLockfile(file, target, cwd);
  const differs = differences(installed, lockfile);
  const name = path.basename(file);
  const text = `${name} and what is installed differ (${few(differs)}): ${name} is taken, as asked`;
  return {
    ...linesOf(lockfile.selected, file, target),
    notices: differs.length === 0 ? [] : [{ level: 'info', text }],
    lockfile,
  };
}

async function nearestLockfiles({ cwd, root }: CaptureContext): Promise<{ files: string[]; directory: string }> {
  for (const directory of upwards(cwd, root)) {
    const files = await lockfilesIn(directory);
    if (files.length > 0) return { files, directory };
  }
  return { files: [], directory: root };
}

function withHashesOf({ lock }: Lockfile, installed: readonly InstalledPackage[], target: Target): LockedLines {
  const indexes: Record<string, string> = {};
  const lines = installed.flatMap(({ name, version, line }) => {
    if (line === undefined) return [];
    const locked = lock.packages.find(
      (found) =>
        found.origin.kind === 'index' &&
        found.name === canonicalName(name) &&
        found.version !== undefined &&
        isSame(found.version, version),
    );
    const index = locked && indexOf(locked);
    if (index !== undefined) indexes[canonicalName(name)] = index;
    return [locked ? lineWithHashes(line, locked, target) : line];
  });
  return { lines: lines.sort(), indexes };
}
