import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { isRawcloudError, RawcloudError } from '../../contract';
import type { CaptureContext, Capturer, Found, NodeRecipe, Notice, SourceContent } from '../../contract';
import { findExecutable } from '../executables';
import { contentOf, makeLayer } from '../layer';
import { findNeeds } from '../needs';
import type { Need } from '../needs';
import { needsDevelopment } from './dev-tools';
import { archiveNpm } from './npm-archive';
import type { NpmArchive } from './npm-archive';
import { readNpmrc } from './npmrc';
import { findProject } from './project';
import type { Project } from './project';

export const NODE_KIND = 'node';

/** Programs of other package managers, which would have to be on the VM themselves. */
const FOREIGN_RUNNERS = ['pnpm', 'pnpx', 'yarn', 'yarnpkg', 'bun', 'bunx'];

/** What was read to find it is not read again to carry it. */
const lookedAt = new WeakMap<Found, Seen>();

/**
 * Carries Node packages: package.json and npm's lockfile travel, `npm ci` makes node_modules of them on the VM.
 * npm itself travels along for VMs that have none.
 */
export const nodeCapturer: Capturer = {
  kind: NODE_KIND,

  async detect(context) {
    const seen = await look(context);
    if (!seen) return [];
    const found = describe(seen, context);
    lookedAt.set(found, seen);
    return [found];
  },

  async capture(found, context) {
    const seen = lookedAt.get(found) ?? (await look(context));
    if (!seen) throw new RawcloudError('E_INTERNAL', 'the Node project that was found a moment ago is gone');
    const installs = seen.project && installedEntries(seen.project, seen.dev).length > 0;
    const files = seen.project && installs ? await projectFiles(seen.project) : new Map<string, SourceContent>();
    const npm = files.size > 0 || callsNpm(seen.need) ? await archiveNpm(context) : undefined;
    const contents = [...files.values(), ...(npm ? [npm.content] : [])];
    const layer = makeLayer(NODE_KIND, context.platform, recipeOf(seen, files, npm, context), contents, seen.notices);
    return { layer, contents };
  },
};

/** What there is of Node for this command. */
interface Seen {
  readonly need: Need;
  readonly project?: Project;
  readonly dev: boolean;
  readonly node?: string;
  readonly notices: readonly Notice[];
}

async function look(context: CaptureContext): Promise<Seen | undefined> {
  const { node: need } = await findNeeds(context);
  if (!need) return undefined;
  refuseForeignRunners(need);
  const { project, notices } = await projectFor(need, context);
  if (need.kind === 'possible' && !project && notices.length === 0) return undefined;
  const dev = project !== undefined && needsDevelopment(need, project);
  const node = await nodeVersion(context);
  return { need, dev, ...(project ? { project } : {}), ...(node ? { node } : {}), notices: [...notices, ...noticesOf(project, dev)] };
}

/** A project that cannot be carried stops a command that names Node; one that may not even use it is told and goes on. */
async function projectFor(need: Need, { cwd, root }: CaptureContext): Promise<{ project?: Project; notices: Notice[] }> {
  try {
    const project = await findProject({ cwd, root, dev: namesDevTool(need) });
    return { ...(project ? { project } : {}), notices: [] };
  } catch (error) {
    if (need.kind === 'named' || !isRawcloudError(error)) throw error;
    return { notices: [{ level: 'warning', text: `Node packages are left out, should the command need them: ${error.message}` }] };
  }
}

/** Without a lockfile nobody knows what is a development tool: anything but node itself, npm and a file may be one. */
function namesDevTool(need: Need): boolean {
  return need.commands.some(({ program }) => !/^(node|nodejs|npm)$|\//.test(program) && path.extname(program) === '');
}

function refuseForeignRunners(need: Need): void {
  const runner = need.commands.map(({ program }) => path.basename(program)).find((name) => FOREIGN_RUNNERS.includes(name));
  if (runner === undefined) return;
  throw new RawcloudError(
    'E_PACKAGE',
    `'${runner}' would not be there on the VM; this version carries npm and package-lock.json, ${runner} is coming`,
    {
      remedy: "Use npm ('npm run …', 'npx …') with a package-lock.json, or name the program itself ('node …').",
    },
  );
}

async function nodeVersion({ env, cwd, signal }: CaptureContext): Promise<string | undefined> {
  const node = await findExecutable('node', { env, cwd });
  if (node === undefined) return undefined;
  try {
    const { stdout } = await promisify(execFile)(node, ['--version'], { env, cwd, timeout: 20_000, ...(signal ? { signal } : {}) });
    return stdout.trim().replace(/^v/, '');
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RawcloudError('E_PACKAGE', `${node} did not say which version it is`, {
      remedy: `Run '${node} --version' to see what is wrong with it.`,
      cause,
    });
  }
}

function callsNpm(need: Need): boolean {
  return need.commands.some(({ words }) => words.some((word) => ['npm', 'npx'].includes(path.basename(word))));
}

/** Root scripts are left out: they want files of the tree, which are not where npm installs. */
async function projectFiles({ directory, manifest, lockfile }: Project): Promise<Map<string, SourceContent>> {
  const npmrc = await readNpmrc(directory);
  const carried = Object.fromEntries(Object.entries(manifest).filter(([name]) => name !== 'scripts'));
  return new Map([
    ['package.json', contentOf(Buffer.from(JSON.stringify(carried, undefined, 2)))],
    [path.basename(lockfile.file), contentOf(await readFile(lockfile.file))],
    ...(npmrc ? [['.npmrc', contentOf(npmrc)] as const] : []),
  ]);
}

function recipeOf(
  seen: Seen,
  files: ReadonlyMap<string, SourceContent>,
  npm: NpmArchive | undefined,
  { root }: CaptureContext,
): NodeRecipe {
  return {
    ...(seen.node ? { node: seen.node } : {}),
    ...(seen.project && files.size > 0 ? { directory: path.relative(root, seen.project.directory).split(path.sep).join('/') } : {}),
    files: Object.fromEntries([...files].map(([name, { sha256 }]) => [name, sha256])),
    dev: seen.dev,
    ...(npm ? { npm: { version: npm.version, archive: npm.content.sha256 } } : {}),
  };
}

function describe({ project, node, dev }: Seen, { root }: CaptureContext): Found {
  const packages = project ? installedEntries(project, dev).length : 0;
  const where = project ? ` (${path.relative(root, project.lockfile.file)})` : '';
  return {
    kind: NODE_KIND,
    title: `Node ${node ?? 'of the VM'}${where}`,
    detail: { packages, dev, ...(project ? { directory: project.directory } : {}) },
  };
}

function installedEntries({ lockfile }: Project, dev: boolean): string[] {
  return Object.entries(lockfile.packages).flatMap(([at, entry]) => (at !== '' && (dev || !entry.dev) ? [at] : []));
}

/** Scripts of the project that `npm ci` would have run here. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

function noticesOf(project: Project | undefined, dev: boolean): Notice[] {
  if (!project) return [];
  const left = installedEntries(project, true).length - installedEntries(project, dev).length;
  const scripts = INSTALL_SCRIPTS.filter((name) => name in project.manifest.scripts);
  return [
    ...(left > 0 ? [{ level: 'info' as const, text: `left out ${left} development packages: the command names none of them` }] : []),
    ...(scripts.length > 0
      ? [{ level: 'warning' as const, text: `the project's own ${scripts.join(', ')} script is not run on the VM` }]
      : []),
  ];
}
