import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hasCode, mapBounded } from '../../../contract';
import type { CondaPackage } from '../../../contract';
import type { PackageInfo, PackagePath } from './info';
import { moveBinary, moveText } from './prefix';
import { writeEntryPoint } from '../python-programs';

/** The environment that packages are put into. */
export interface Prefix {
  readonly directory: string;
  /** Its Python; absent when it has none. */
  readonly python?: CondaPython;
}

export interface CondaPython {
  /** `3.11` */
  readonly minor: string;
  /** Relative to the environment. */
  readonly site: string;
}

/** Files moved at once. */
const CONCURRENCY = 32;

/**
 * Moves what a package holds to its place in the environment, makes it name that place, and puts it on record as conda does.
 * Source: conda's documentation "Link and unlink", CEP "Noarch packages"; `conda/core/path_actions.py`.
 */
export async function linkPackage(unpacked: string, wanted: CondaPackage, info: PackageInfo, prefix: Prefix): Promise<void> {
  const placed = info.paths.map((from) => ({ from, to: placeOf(from._path, info, prefix) }));
  const made = new Set<string>();
  await mapBounded(placed, CONCURRENCY, async ({ from, to }) => {
    const target = path.join(prefix.directory, to);
    const directory = from.path_type === 'directory' ? target : path.dirname(target);
    if (!made.has(directory)) await mkdir(directory, { recursive: true });
    made.add(directory);
    if (from.path_type === 'directory') return;
    await moveFile(path.join(unpacked, from._path), target);
    if (from.prefix_placeholder && from.path_type !== 'softlink') await renamePrefix(target, from, prefix.directory);
  });
  const programs = await writeEntryPoints(info, prefix);
  await writeRecord(wanted, info, prefix, [
    ...placed.map(({ from, to }) => ({ ...from, _path: to })),
    ...programs.map((at): PackagePath => ({ _path: at, path_type: 'unix_python_entry_point' })),
  ]);
}

/** Packages of Python that fit every version say only whether something is a module or a program. */
function placeOf(at: string, { entryPoints }: PackageInfo, { python }: Prefix): string {
  if (!entryPoints || !python) return at;
  if (at.startsWith('site-packages/')) return `${python.site}/${at.slice('site-packages/'.length)}`;
  return at.startsWith('python-scripts/') ? `bin/${at.slice('python-scripts/'.length)}` : at;
}

/** Whoever comes last wins, as with conda. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasCode(error, 'EISDIR', 'ENOTEMPTY', 'EEXIST')) throw error;
    await rm(to, { recursive: true });
    await rename(from, to);
  }
}

async function renamePrefix(file: string, { prefix_placeholder: from, file_mode: mode }: PackagePath, to: string): Promise<void> {
  const bytes = await readFile(file);
  const moved = mode === 'binary' ? moveBinary(bytes, from!, to) : moveText(bytes, from!, to);
  // Another name of the same file keeps what it has.
  const { mode: rights } = await stat(file);
  await rm(file);
  await writeFile(file, moved, { mode: rights });
}

async function writeEntryPoints({ entryPoints = [] }: PackageInfo, { directory, python }: Prefix): Promise<string[]> {
  if (!python) return [];
  const written: string[] = [];
  for (const text of entryPoints) {
    const [, name, module, attribute] = /^\s*([^=\s]+)\s*=\s*([\w.]+)\s*:\s*([\w.]+)/.exec(text) ?? [];
    if (name === undefined) continue;
    await writeEntryPoint(
      { bin: path.join(directory, 'bin'), python: `python${python.minor}` },
      { name, module: module!, attribute: attribute! },
    );
    written.push(`bin/${name}`);
  }
  return written;
}

/** So that conda, mamba and `conda list` know it. Source: conda's PrefixRecord. */
async function writeRecord(
  wanted: CondaPackage,
  { index, entryPoints }: PackageInfo,
  { directory }: Prefix,
  paths: readonly PackagePath[],
): Promise<void> {
  const { name, version, build, url, sha256, md5 } = wanted;
  const files = paths.filter(({ path_type: type }) => type !== 'directory').map(({ _path: at }) => at);
  const isUrl = URL.canParse(url);
  const record = {
    ...index,
    channel: isUrl ? new URL('..', url).href.replace(/\/$/, '') : '<unknown>',
    ...(isUrl ? { subdir: new URL('.', url).pathname.split('/').at(-2) } : {}),
    fn: path.posix.basename(url),
    url: isUrl ? url : `file:///${url}`,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(md5 === undefined ? {} : { md5 }),
    ...(entryPoints ? { package_type: 'noarch_python' } : {}),
    files,
    paths_data: { paths_version: 1, paths },
    link: { source: '', type: 2 },
    extracted_package_dir: '',
    package_tarball_full_path: '',
    requested_spec: null,
  };
  await writeFile(path.join(directory, 'conda-meta', `${name}-${version}-${build}.json`), JSON.stringify(record, undefined, 2));
}

/** Where the Python of an environment looks for packages. */
export function pythonOf(packages: readonly { readonly wanted: CondaPackage; readonly info: PackageInfo }[]): CondaPython | undefined {
  const found = packages.find(({ wanted }) => wanted.name === 'python');
  const minor = /^\d+\.\d+/.exec(found?.wanted.version ?? '')?.[0];
  if (!found || minor === undefined) return undefined;
  return { minor, site: found.info.index.python_site_packages_path ?? `lib/python${minor}/site-packages` };
}
