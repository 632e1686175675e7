import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { formatSize, fsPath, mapBounded, RawcloudError, unlessMissing } from '../contract';
import type { CaptureContext, SourceContent } from '../contract';
import { upwards } from './executables';
import { IgnoreRules } from './ignore';
import { contentOf } from './layer';
import { tar } from './tar';
import type { TarFile } from './tar';
import { walkTree } from './walk';

/** More than that is data, which a job gets otherwise. */
const LIMIT_BYTES = 500e6;

const READS = 16;

/** Uploaded once; made on every run. */
const GZIP_LEVEL = 1;

/** A gzipped tar as content. */
export async function archiveOf(files: readonly TarFile[]): Promise<SourceContent> {
  return contentOf(await promisify(gzip)(tar(files), { level: GZIP_LEVEL }));
}

/** What is read of a directory, and how it is called when it is too large. */
export interface SourceOptions extends Pick<CaptureContext, 'env' | 'signal'> {
  /** For people: `a Python package is installed from`. */
  readonly what: string;
  /** Paths in it which count even when git ignores them. @default - none */
  readonly include?: readonly string[];
}

/**
 * The files of a package's source by the rules by which files travel, those of the directories above it included.
 * @throws E_PACKAGE when it holds more than 500 MB
 */
export async function readSource(directory: string, { env, signal, what, include = [] }: SourceOptions): Promise<TarFile[]> {
  const { entries } = await walkTree(directory, { env, home: env['HOME'] ?? '/', include, ...(signal ? { signal } : {}) });
  const ignored = await rulesAbove(directory);
  const wanted = (at: string): boolean =>
    include.some((named) => at === bytesOf(named) || at.startsWith(`${bytesOf(named)}/`)) || !ignored(at);
  const files = [...entries].filter((entry) => entry.type === 'file' && wanted(entry.path));
  const sizes = files.map((entry) => (entry.type === 'file' ? entry.bytes : 0));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes > LIMIT_BYTES) throw tooLarge(directory, what, bytes);
  return mapBounded(files, READS, async (entry) => ({
    path: Buffer.from(entry.path, 'latin1').toString(),
    bytes: await readFile(fsPath(directory, entry.path)),
    executable: entry.type === 'file' && entry.executable,
  }));
}

/** A hash of paths and contents. */
export function hashOfFiles(files: readonly TarFile[]): string {
  const hash = createHash('sha256');
  for (const { path: name, bytes, executable } of files) hash.update(`${name}\0${executable}\0${bytes.byteLength}\0`).update(bytes);
  return hash.digest('hex');
}

/** '' for the directory itself; undefined when it lies elsewhere. */
export function relativeInside(root: string, file: string): string | undefined {
  const relative = path.relative(root, file);
  return relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative)
    ? undefined
    : relative.split(path.sep).join('/');
}

/** Whether .gitignore or .rawcloudignore between the root and a directory leave it out of the tree. */
export async function ignoredFrom(root: string, directory: string): Promise<boolean> {
  const above = upwards(directory, root).slice(1).reverse();
  const rules = await rulesOf(root, above);
  return prefixesOf(bytesOf(relativeInside(root, directory) ?? '')).some((part) => rules.ignores(part, path.basename(part), true));
}

/** What the rules of directories above say of paths in a directory that is a part of a larger repository. */
async function rulesAbove(directory: string): Promise<(file: string) => boolean> {
  let root = directory;
  while (root !== path.dirname(root) && !existsSync(path.join(root, '.git'))) root = path.dirname(root);
  if (root === directory || root === path.dirname(root)) return () => false;
  const rules = await rulesOf(root, upwards(directory, root).slice(1).reverse());
  const base = bytesOf(relativeInside(root, directory) ?? '');
  // Who installed an ignored directory wants it.
  if (prefixesOf(base).some((part) => rules.ignores(part, path.basename(part), true))) return () => false;
  return (file) => {
    const parts = prefixesOf(file);
    return parts.some((part, at) => rules.ignores(`${base}/${part}`, path.basename(part), at < parts.length - 1));
  };
}

/** Rules are of bytes: see {@link BytePath}. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** `a/b/c`: `a`, `a/b`, `a/b/c`. */
function prefixesOf(file: string): string[] {
  const parts = file.split('/').filter((part) => part !== '');
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

async function rulesOf(root: string, directories: readonly string[]): Promise<IgnoreRules> {
  let rules = IgnoreRules.builtin();
  for (const directory of directories) {
    const base = bytesOf(relativeInside(root, directory) ?? '');
    const read = async (name: string): Promise<string> => {
      const file = path.join(directory, name);
      const found = await unlessMissing(lstat(file), undefined);
      return found?.isFile() ? readFile(file, 'latin1') : '';
    };
    rules = rules.withGitignore(base, await read('.gitignore')).withRawcloudignore(base, await read('.rawcloudignore'));
  }
  return rules;
}

function tooLarge(directory: string, what: string, bytes: number): RawcloudError {
  return new RawcloudError(
    'E_PACKAGE',
    `${directory}, which ${what}, holds ${formatSize(bytes)}; up to ${formatSize(LIMIT_BYTES)} travel`,
    { remedy: 'Leave out what is no source with lines in a .rawcloudignore there, or move the package into the synchronized tree.' },
  );
}
