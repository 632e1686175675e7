import { lstat, mkdir, readdir, readlink, rename, rm, statfs } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import path from 'node:path';
import {
  findRawcloudError,
  formatSize,
  fsPath,
  hasCode,
  jobKeys,
  leadsOutside,
  mapBounded,
  parentOf,
  RawcloudError,
  showPath,
  showPaths,
  STAGING_PREFIX,
  unlessMissing,
} from '../contract';
import type { BytePath, OutputFile, Ref, Store } from '../contract';
import type { OnTransfer } from './api';
import { hashFile } from '../store/read-file';
import { fetchTree, writeEntries } from '../store/restore';
import { safeEntries } from '../store/tree-check';
import type { SafeEntry } from '../store/tree-check';

export interface DownloadOptions {
  readonly store: Store;
  /** The job's prefix, and the VM's name in keys. */
  readonly prefix: string;
  readonly vm: string;
  /** Manifest of the kept files, as the VM's beat names it. */
  readonly tree: Ref;
  /** Where the tree's root is to be; made when it is not there. */
  readonly directory: string;
  /** Whether files that are there and differ are replaced. @default false */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
  /** Called often, with what is to be fetched and is there. */
  readonly onProgress?: OnTransfer;
}

/** Files looked at or moved at once. */
const CONCURRENCY = 8;

/**
 * Brings home what a job has written. All is fetched and checked beside its place first, then each file moved there in one
 * step; what is there already with the same content is left alone. Nothing is written outside the directory or through links.
 * What has arrived when this is broken off stays beside its place: the next download of the same files goes on from there.
 * @returns the files, those left alone included
 * @throws E_USAGE listing what is there and differs, or when there is no room; E_INTEGRITY
 */
export async function downloadOutputs(options: DownloadOptions): Promise<OutputFile[]> {
  const { store, prefix, vm, tree: ref, directory, overwrite = false, signal, onProgress } = options;
  const keyOf = (sha256: string): string => jobKeys.out(prefix, vm, sha256);
  const tree = await fetchTree({ store, ref, keyOf, ...(signal ? { signal } : {}) }).catch(expired);
  const entries = safeEntries(tree).filter((entry) => entry.type !== 'directory');
  entries.forEach(refuseOutwardLink);
  await refuseLinkedParents(directory, entries);
  const states = await mapBounded(entries, CONCURRENCY, (entry) => stateOf(directory, entry));
  const wanted = entries.filter((_entry, index) => states[index] !== 'same');
  refuseToReplace(
    directory,
    entries.filter((_entry, index) => states[index] === 'blocked' || (states[index] === 'other' && !overwrite)),
    overwrite,
  );
  const staging = path.join(directory, `${STAGING_PREFIX}${ref.sha256.slice(0, 16)}`);
  if (wanted.length > 0) {
    const missing = await notStaged(staging, wanted);
    await refuseWithoutRoom(directory, staging, missing);
    const totalBytes = sumOf(missing);
    let bytes = 0;
    const onBytes = (more: number): void => onProgress?.({ bytes: (bytes += more), totalBytes });
    onBytes(0);
    await writeEntries(tree, missing, {
      onBytes,
      store,
      keyOf,
      directory: staging,
      resume: true,
      ...(signal ? { signal } : {}),
    }).catch((error: unknown) => brokenOff(error, directory, staging));
    await mapBounded(wanted, CONCURRENCY, (entry) => move(staging, directory, entry.path), signal ? { signal } : {});
  }
  await rm(staging, { recursive: true, force: true });
  return entries.map(describe);
}

/** What an earlier try has not brought, or only in part. */
async function notStaged(staging: string, wanted: readonly SafeEntry[]): Promise<SafeEntry[]> {
  if (!(await lstatIfThere(staging))) return [...wanted];
  const states = await mapBounded(wanted, CONCURRENCY, (entry) => stateOf(staging, entry));
  return wanted.filter((_entry, index) => states[index] !== 'same');
}

/** To run full is to stop somebody else as well. */
async function refuseWithoutRoom(directory: string, staging: string, missing: readonly SafeEntry[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const { bavail, bsize } = await statfs(directory);
  const begun = await mapBounded(missing, CONCURRENCY, async ({ path }) => (await lstatIfThere(fsPath(staging, path)))?.blocks ?? 0);
  const needed = sumOf(missing) - BLOCK_BYTES * begun.reduce((sum, blocks) => sum + blocks, 0);
  if (needed <= bavail * bsize) return;
  throw noRoom(directory, `${formatSize(needed)} are to be written, ${formatSize(bavail * bsize)} are free`);
}

/** Of `blocks`, whatever the file system has. Source: stat(2). */
const BLOCK_BYTES = 512;

function noRoom(directory: string, why: string, cause?: unknown): RawcloudError {
  return new RawcloudError('E_USAGE', `there is no room for the job's files in ${directory}: ${why}`, {
    remedy: 'Make room and download again, which goes on from there, or download to another disk (--to DIR).',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What has arrived is left for the next try. */
async function brokenOff(error: unknown, directory: string, staging: string): Promise<never> {
  const found = await unlessMissing(readdir(staging, { recursive: true, withFileTypes: true }), []);
  if (found.every((entry) => entry.isDirectory())) await rm(staging, { recursive: true, force: true });
  if (hasCode(error, 'ENOSPC', 'EDQUOT')) throw noRoom(directory, 'the disk is full', error);
  return expired(error);
}

/** What a VM has stored goes when somebody deletes it, or a rule of the bucket does. */
function expired(error: unknown): never {
  const known = findRawcloudError(error);
  if (known?.data['absent'] !== true) throw error;
  throw new RawcloudError('E_INTEGRITY', `the job's files are not in the bucket any more: ${known.message}`, {
    remedy: 'They were deleted, or expired by a lifecycle rule of the bucket. Run the job again.',
    cause: error,
  });
}

function sumOf(entries: readonly SafeEntry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.type === 'file' ? entry.bytes : 0), 0);
}

function describe(entry: SafeEntry): OutputFile {
  return { path: Buffer.from(entry.path, 'latin1').toString(), bytes: entry.type === 'file' ? entry.bytes : 0, kept: true };
}

/** The manifest was written by the VM, where the job may have been root. */
function refuseOutwardLink(entry: SafeEntry): void {
  if (entry.type !== 'link' || !leadsOutside(entry.path, entry.target)) return;
  throw new RawcloudError(
    'E_INTEGRITY',
    `the job's files hold a link that leads out of them: ${showPath(entry.path)} to ${showPath(entry.target)}`,
  );
}

async function refuseLinkedParents(directory: string, entries: readonly SafeEntry[]): Promise<void> {
  const parents = new Set<BytePath>();
  for (const { path } of entries) for (let at = parentOf(path); at !== ''; at = parentOf(at)) parents.add(at);
  for (const parent of parents) {
    const found = await lstatIfThere(fsPath(directory, parent));
    if (!found || found.isDirectory()) continue;
    throw new RawcloudError(
      'E_USAGE',
      `cannot write below ${showPath(parent)} in ${directory}: it is a ${found.isSymbolicLink() ? 'link' : 'file'} here`,
      {
        remedy: 'Move it away, or download to another directory (--to DIR).',
      },
    );
  }
}

/** 'blocked': a directory is there. */
async function stateOf(directory: string, entry: SafeEntry): Promise<'absent' | 'same' | 'other' | 'blocked'> {
  const at = fsPath(directory, entry.path);
  const found = await lstatIfThere(at);
  if (!found) return 'absent';
  if (found.isDirectory()) return 'blocked';
  if (entry.type === 'link') return found.isSymbolicLink() && (await readlink(at, 'latin1')) === entry.target ? 'same' : 'other';
  if (entry.type !== 'file' || !found.isFile() || found.size !== entry.bytes) return 'other';
  return (await hashFile(at, showPath(entry.path)))?.sha256 === entry.sha256 ? 'same' : 'other';
}

function refuseToReplace(directory: string, entries: readonly SafeEntry[], overwrite: boolean): void {
  if (entries.length === 0) return;
  const paths = entries.map((entry) => entry.path);
  throw new RawcloudError('E_USAGE', `these files are in ${directory} and differ from the job's: ${showPaths(paths, 10)}`, {
    remedy: overwrite
      ? 'Directories are never replaced: move them away.'
      : 'Replace them with --overwrite, or download to another directory (--to DIR).',
    data: { paths: paths.map(showPath) },
  });
}

async function move(staging: string, directory: string, file: BytePath): Promise<void> {
  await mkdir(fsPath(directory, parentOf(file)), { recursive: true });
  await rename(fsPath(staging, file), fsPath(directory, file));
}

async function lstatIfThere(at: string | Buffer): Promise<Stats | undefined> {
  return lstat(at).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
}
