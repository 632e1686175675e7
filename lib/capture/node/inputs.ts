import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { RawcloudError, unlessMissing } from '../../contract';
import type { CaptureContext, SourceContent } from '../../contract';
import { isDirectory, isFile } from '../executables';
import { contentOf } from '../layer';
import { archiveOf, hashOfFiles, readSource } from '../source-files';
import type { TarFile } from '../tar';
import type { OwnPackage } from './local-packages';
import type { Manifest } from './manifest';
import type { Project } from './project';

/** What an install reads of the developer's own files. Paths are relative to the tree's root. */
export interface Inputs {
  /** Hashes of what is in the tree, by path. */
  readonly hashes: Readonly<Record<string, string>>;
  /** What travels with the tree though git may ignore it. */
  readonly include: readonly string[];
  /** What lies outside the tree, packed, by path. */
  readonly outside: ReadonlyMap<string, SourceContent>;
}

/** Configuration beside the lockfile, besides .npmrc; what is in it of secrets is not hashed. */
const SETTINGS = ['.yarnrc', '.yarnrc.yml', 'pnpm-workspace.yaml', '.pnpmfile.cjs', '.pnpmfile.mjs', 'bunfig.toml'];

/** Directories beside the lockfile with files that change packages, or the manager. */
const DIRECTORIES = ['patches', '.yarn/patches', '.yarn/plugins', '.yarn/releases'];

/** For people, of a directory that is too large. */
const LINKED = 'a package links to';

/** A VM keeps its tree at /var/lib/rawcloud/job/tree: nothing of ours may lie above /var/lib. */
const MAX_ABOVE = 3;

export async function readInputs(project: Project, registryText: string, context: CaptureContext): Promise<Inputs> {
  const { root } = context;
  const inTree = (file: string): boolean => !placeOf(file, root).startsWith('../');
  const files = [
    project.lock.file,
    ...project.own.map(({ directory }) => path.join(directory, 'package.json')),
    ...(await patchFiles(project)),
    ...project.archives,
  ].filter(inTree);
  const hashes: Record<string, string> = {};
  for (const file of files) if (await isFile(file)) hashes[placeOf(file, root)] = contentOf(await readFile(file)).sha256;
  for (const name of SETTINGS) {
    const file = path.join(project.directory, name);
    if (await isFile(file)) hashes[placeOf(file, root)] = contentOf(Buffer.from(withoutSecrets(await readFile(file, 'utf8')))).sha256;
  }
  if (registryText !== '') hashes[placeOf(path.join(project.directory, '.npmrc'), root)] = contentOf(Buffer.from(registryText)).sha256;
  // Managers copy what is linked to, and is no workspace: what is in it counts.
  const linked = project.own.filter(({ directory }) => directory !== project.directory && !project.workspaces.has(directory));
  for (const { directory } of linked.filter((found) => inTree(found.directory)))
    hashes[placeOf(directory, root)] = hashOfFiles(await readSource(directory, { ...context, what: LINKED }));
  const built = await builtPaths(project.own.filter(({ directory }) => directory !== project.directory));
  return {
    hashes,
    include: [...files, ...built].filter(inTree).map((file) => placeOf(file, root)),
    outside: await packOutside(project, built, context),
  };
}

/** Relative to the root, with slashes; '' is the root itself. */
export function placeOf(file: string, root: string): string {
  return path.relative(root, file).split(path.sep).join('/');
}

async function packOutside(project: Project, built: readonly string[], context: CaptureContext): Promise<Map<string, SourceContent>> {
  const { root } = context;
  const outside = new Map<string, SourceContent>();
  const pack = async (target: string, read: () => Promise<readonly TarFile[]>): Promise<void> => {
    checkPlace(target, root);
    const files = await read();
    const at = path.dirname(target);
    outside.set(
      placeOf(target, root),
      await archiveOf(files.map((file) => ({ ...file, path: placeOf(path.join(target, file.path), at) }))),
    );
  };
  const isOutside = (file: string): boolean => placeOf(file, root).startsWith('..');
  for (const { directory } of project.own.filter((found) => isOutside(found.directory))) {
    const include = built.filter((file) => file.startsWith(`${directory}${path.sep}`)).map((file) => placeOf(file, directory));
    await pack(directory, () => readSource(directory, { ...context, what: LINKED, include }));
  }
  for (const file of project.archives.filter(isOutside))
    await pack(file, async () => [{ path: '', bytes: await readFile(file), executable: false }]);
  return outside;
}

function checkPlace(target: string, root: string): void {
  const place = placeOf(target, root);
  const above = place.split('/').filter((part) => part === '..').length;
  if (above <= MAX_ABOVE && !place.endsWith('..')) return;
  const why = place.endsWith('..') ? 'above' : `${above} directories above`;
  throw new RawcloudError(
    'E_PACKAGE',
    `a package links to ${target}, which lies ${why} the synchronized tree ${root}: a VM has no place for it`,
    {
      remedy: `Up to ${MAX_ABOVE} directories are possible. Start the job in a directory that holds both, as a git repository of both does.`,
    },
  );
}

/** Lines with credentials in YAML and TOML. */
function withoutSecrets(text: string): string {
  return text.replace(/^.*(?:npmAuth|token|password|username).*$/gim, '');
}

async function patchFiles({ directory, manifest, workspaceFile }: Project): Promise<string[]> {
  const named = v.safeParse(v.record(v.string(), v.string()), manifest['patchedDependencies']);
  const pnpm = v.safeParse(v.record(v.string(), v.string()), manifest.pnpm['patchedDependencies']);
  const files = [named, pnpm].flatMap((found) => (found.success ? Object.values(found.output) : []));
  const listed = [...files, ...Object.values(workspaceFile?.patchedDependencies ?? {})].map((file) => path.resolve(directory, file));
  for (const name of DIRECTORIES) {
    const found = await unlessMissing(readdir(path.join(directory, name), { recursive: true, withFileTypes: true }), []);
    listed.push(...found.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name)));
  }
  return listed.sort();
}

/**
 * What packages say that others load of them, where it is there: git ignores what is built, and without it a link leads to nothing.
 * Of a built file its whole directory.
 */
async function builtPaths(own: readonly OwnPackage[]): Promise<string[]> {
  const built = new Set<string>();
  for (const { directory, manifest } of own) {
    for (const named of manifest ? loadedFiles(manifest) : []) {
      const [top, ...rest] = path.posix
        .normalize(named)
        .split('/')
        .filter((part) => part !== '.');
      if (top === undefined || top === '..' || top === '' || top.includes('*')) continue;
      const at = path.join(directory, top);
      if (rest.length === 0 ? await unlessMissing(stat(at), undefined) : await isDirectory(at)) built.add(at);
    }
  }
  return [...built].sort();
}

function loadedFiles(manifest: Manifest): string[] {
  return ['main', 'module', 'types', 'bin', 'exports', 'files']
    .flatMap((member) => leaves(manifest[member]))
    .filter((leaf) => !leaf.startsWith('!'));
}

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}
