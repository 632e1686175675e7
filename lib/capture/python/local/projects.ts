import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { formatSize, fsPath, mapBounded, RawcloudError, unlessMissing } from '../../../contract';
import type { CaptureContext, Place, SourceContent } from '../../../contract';
import { upwards } from '../../executables';
import { IgnoreRules } from '../../ignore';
import { contentOf } from '../../layer';
import { tar } from '../../tar';
import type { TarFile } from '../../tar';
import { walkTree } from '../../walk';

/** More than that is data, which a job gets otherwise. */
const LIMIT_BYTES = 500e6;

const READS = 16;

/** Uploaded once; made on every run. */
const GZIP_LEVEL = 1;

/** A gzipped tar as content. */
export async function archiveOf(files: readonly TarFile[]): Promise<SourceContent> {
  return contentOf(await promisify(gzip)(tar(files), { level: GZIP_LEVEL }));
}

/** Directories of source that an environment points at: those in the synchronized tree travel with it, others as archives. */
export class Projects {
  readonly #places = new Map<string, Promise<Place>>();
  readonly #contents = new Map<string, SourceContent>();

  constructor(private readonly context: Pick<CaptureContext, 'root' | 'env' | 'signal'>) {}

  /** Archives that places name. */
  get contents(): SourceContent[] {
    return [...this.#contents.values()];
  }

  /** @throws E_PACKAGE when it holds more than 500 MB and lies outside the tree */
  async placeOf(directory: string): Promise<Place> {
    const real = await realpath(directory);
    const known = this.#places.get(real) ?? this.#find(real);
    this.#places.set(real, known);
    return known;
  }

  async #find(real: string): Promise<Place> {
    const root = await realpath(this.context.root);
    const inTree = relativeInside(root, real);
    if (inTree !== undefined && !(await ignoredFrom(root, real))) return { tree: inTree };
    const content = await archiveOf(await this.#read(real));
    this.#contents.set(content.sha256, content);
    return { archive: content.sha256, path: '' };
  }

  /** A hash of all files of a directory that would travel, by path and content. */
  async hashOf(directory: string): Promise<string> {
    const hash = createHash('sha256');
    for (const { path: name, bytes, executable } of await this.#read(await realpath(directory))) {
      hash.update(`${name}\0${executable}\0${bytes.byteLength}\0`).update(bytes);
    }
    return hash.digest('hex');
  }

  async #read(directory: string): Promise<TarFile[]> {
    const { env, signal } = this.context;
    const { entries } = await walkTree(directory, { env, home: env['HOME'] ?? '/', ...(signal ? { signal } : {}) });
    const ignored = await rulesAbove(directory);
    const files = [...entries].filter((entry) => entry.type === 'file' && !ignored(entry.path));
    const sizes = files.map((entry) => (entry.type === 'file' ? entry.bytes : 0));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (bytes > LIMIT_BYTES) throw tooLarge(directory, bytes);
    return mapBounded(files, READS, async (entry) => ({
      path: Buffer.from(entry.path, 'latin1').toString(),
      bytes: await readFile(fsPath(directory, entry.path)),
      executable: entry.type === 'file' && entry.executable,
    }));
  }
}

/** '' for the directory itself; undefined when it lies elsewhere. */
export function relativeInside(root: string, file: string): string | undefined {
  const relative = path.relative(root, file);
  return relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative)
    ? undefined
    : relative.split(path.sep).join('/');
}

/** Whether .gitignore or .rawcloudignore between the root and a directory leave it out of the tree. */
async function ignoredFrom(root: string, directory: string): Promise<boolean> {
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

function tooLarge(directory: string, bytes: number): RawcloudError {
  return new RawcloudError(
    'E_PACKAGE',
    `${directory}, which a Python package is installed from, holds ${formatSize(bytes)}; up to ${formatSize(LIMIT_BYTES)} travel`,
    { remedy: 'Leave out what is no source with lines in a .rawcloudignore there, or move the package into the synchronized tree.' },
  );
}
