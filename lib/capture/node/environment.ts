import path from 'node:path';
import { isRawcloudError } from '../../contract';
import type { CaptureContext, CapturedLayer, Found, NodeManager, NodeProject, NodeRecipe, Notice, SourceContent } from '../../contract';
import { makeLayer } from '../layer';
import type { Need } from '../needs';
import { needsDevelopment } from './dev-tools';
import { placeOf, readInputs } from './inputs';
import { dependenciesOf, installScripts } from './manifest';
import { carryNode, findNode } from './node-version';
import type { WantedNode } from './node-version';
import { findProject } from './project';
import type { Project } from './project';
import { readRegistries, refuseSecretAddresses } from './settings';
import { carryTool } from './tools';
import type { CarriedTool } from './tools';

/** Programs that a command may call, and whose they are. */
const PROGRAMS: Readonly<Record<string, NodeManager>> = {
  npm: 'npm',
  npx: 'npm',
  pnpm: 'pnpm',
  pnpx: 'pnpm',
  yarn: 'yarn',
  yarnpkg: 'yarn',
  bun: 'bun',
  bunx: 'bun',
};

/** What there is of Node for this command. */
export interface Seen {
  readonly project?: Project;
  readonly dev: boolean;
  readonly node?: WantedNode;
  readonly called: readonly NodeManager[];
  readonly notices: readonly Notice[];
}

/** @returns undefined when nothing of Node is there that a command could need which does not name it */
export async function look(need: Need, context: CaptureContext): Promise<Seen | undefined> {
  const called = calledManagers(need);
  const { project, notices } = await projectFor(need, called[0], context);
  if (need.kind === 'possible' && !project && notices.length === 0) return undefined;
  const dev = project !== undefined && ((context.dev ?? false) || (await needsDevelopment(need, project, context.locked ?? false)));
  const node = await findNode(context);
  const said = [...notices, ...(node?.notices ?? []), ...(project ? noticesOf(project, dev) : [])];
  return { dev, called, ...(project ? { project } : {}), ...(node ? { node } : {}), notices: said };
}

function calledManagers({ commands }: Need): NodeManager[] {
  const words = commands.flatMap((command) => command.words.map((word) => path.basename(word)));
  return [...new Set(words.flatMap((word) => (Object.hasOwn(PROGRAMS, word) ? [PROGRAMS[word]!] : [])))];
}

/** A project that cannot be carried stops a command that names Node; one that may not even use it is told and goes on. */
async function projectFor(
  need: Need,
  called: NodeManager | undefined,
  { cwd, root, dev = false, locked = false }: CaptureContext,
): Promise<{ project?: Project; notices: Notice[] }> {
  try {
    const project = await findProject({ cwd, root, dev: dev || namesDevTool(need), locked, ...(called ? { called } : {}) });
    if (project) refuseSecretAddresses(project.lock);
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

/** Links between the developer's own packages are made by an install too. */
function installs({ lock, own }: Project, dev: boolean): boolean {
  const { all, production = all } = lock.counts;
  if ((dev ? all : production) === 0 && own.length === 1) return false;
  return (
    own.length > 1 || lock.manager === 'npm' || own.some(({ manifest }) => manifest !== undefined && dependenciesOf(manifest, dev).size > 0)
  );
}

/** @throws E_PACKAGE */
export async function carry(seen: Seen, context: CaptureContext): Promise<CapturedLayer> {
  const installing = seen.project && installs(seen.project, seen.dev) ? await readInstall(seen, seen.project, context) : undefined;
  const node = seen.node ? await carryNode(seen.node, context) : undefined;
  const tools: CarriedTool[] = [];
  for (const name of new Set([...(installing ? [installing.project.manager] : []), ...seen.called]))
    tools.push(await carryTool(name, seen.project, context));
  const outside = installing?.outside ?? new Map<string, SourceContent>();
  const recipe: NodeRecipe = {
    ...(node ? { node: node.node } : {}),
    tools: tools.map(({ tool }) => tool),
    ...(installing ? { project: { ...installing.project, version: tools[0]!.tool.version } } : {}),
    outside: Object.fromEntries([...outside].map(([at, { sha256 }]) => [at, sha256])),
  };
  const contents = [...(node?.content ? [node.content] : []), ...tools.flatMap((one) => one.contents), ...outside.values()];
  const notices = [...seen.notices, ...(node?.notices ?? []), ...tools.flatMap((one) => one.notices), ...(installing?.notices ?? [])];
  const layer = makeLayer('node', context.platform, recipe, contents, notices);
  return { layer, contents, include: installing?.include ?? [], secrets: installing?.secrets ?? {} };
}

interface Installing {
  readonly project: Omit<NodeProject, 'version'>;
  readonly include: readonly string[];
  readonly outside: ReadonlyMap<string, SourceContent>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly notices: readonly Notice[];
}

async function readInstall({ dev }: Seen, project: Project, context: CaptureContext): Promise<Installing> {
  const { root } = context;
  const { settings, secrets, notices, projectText } = await readRegistries(project, context);
  const { hashes, include, outside } = await readInputs(project, projectText, context);
  return {
    project: {
      directory: placeOf(project.directory, root),
      manager: project.lock.manager,
      start: placeOf(project.start, root),
      packages: project.own.map(({ directory }) => placeOf(directory, root)),
      inputs: hashes,
      dev,
      ownScripts: project.own.some(({ manifest }) => manifest !== undefined && installScripts(manifest).length > 0),
      settings,
    },
    include,
    outside,
    secrets,
    notices,
  };
}

export function describe({ project, node, dev }: Seen, { root }: CaptureContext): Found {
  const { all = 0, production = all } = project?.lock.counts ?? {};
  const where = project ? ` (${path.relative(root, project.lock.file)})` : '';
  return {
    kind: 'node',
    title: `Node ${node?.range ?? 'of the VM'}${where}`,
    detail: { packages: dev ? all : production, dev, ...(project ? { directory: project.directory } : {}) },
  };
}

function noticesOf({ lock, own, remark }: Project, dev: boolean): Notice[] {
  const asked = new Set(own.flatMap(({ manifest }) => Object.keys(manifest?.devDependencies ?? {})));
  const { all, production } = lock.counts;
  const left = dev ? 0 : production === undefined ? asked.size : all - production;
  const more = production === undefined ? ' and what only they need' : '';
  return [
    ...(remark === undefined ? [] : [{ level: 'warning' as const, text: remark }]),
    ...(left > 0
      ? [
          {
            level: 'info' as const,
            text: `left out ${left} development packages${more}: the command names none of them (--dev-packages takes them along)`,
          },
        ]
      : []),
  ];
}
