import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isRawcloudError, NodeRecipeSchema, RawcloudError } from '../../contract';
import type { Builder, BuildIo, Built, NodeRecipe, Notice } from '../../contract';
import { findNpm } from './npm';
import type { Npm } from './npm';
import { answerOf, findProgram, linkDirectory, linkInTree } from './programs';
import { readRecipe } from './recipe';

/**
 * Installs what the lockfile lists with `npm ci`, and links the result into the tree as `node_modules`, where Node looks
 * for it. Puts `node` on PATH: the VM's own, else the one the agent runs on.
 */
export const nodeBuilder: Builder = {
  kind: 'node',
  async build(layer, io) {
    const recipe = readRecipe(NodeRecipeSchema, layer);
    await mkdir(io.directory, { recursive: true });
    const node = findProgram('node', io) ?? io.node;
    const npm = recipe.npm || recipe.directory !== undefined ? await findNpm(recipe, node, io) : undefined;
    const bin = await linkDirectory(path.join(io.directory, 'bin'), { node, ...npm?.links });
    const installed = recipe.directory === undefined ? [] : await install(recipe, recipe.directory, needNpm(npm, recipe), bin, io);
    return { path: [bin, ...installed], env: {}, notices: await versionNotices(recipe, node, io) } satisfies Built;
  },
};

function needNpm(npm: Npm | undefined, recipe: NodeRecipe): Npm {
  if (npm) return npm;
  throw new RawcloudError(
    'E_ENVIRONMENT',
    `the VM has no npm to install ${recipe.directory || '.'}/package.json with, and none was carried`,
    {
      remedy: 'Install npm from nodejs.org or a version manager here, so that it can be carried, or use an image that has it (--image).',
    },
  );
}

/** @returns directories for PATH */
async function install(recipe: NodeRecipe, directory: string, npm: Npm, bin: string, io: BuildIo): Promise<string[]> {
  const project = path.join(io.directory, 'project');
  if (!io.restored) await runNpm(recipe, project, npm, bin, io);
  const modules = path.join(project, 'node_modules');
  await mkdir(modules, { recursive: true });
  // A word of the command may have brought one file of node_modules along; npm's own record shows a real one.
  const place = path.join(io.root, directory, 'node_modules');
  const linked = await linkInTree(place, modules, (names) => !names.includes('.package-lock.json'));
  if (!linked) io.log(`${path.join(directory, 'node_modules')} of the tree is left as it is, and used instead of what was installed`);
  return [path.join(linked ? modules : place, '.bin')];
}

async function runNpm(recipe: NodeRecipe, project: string, npm: Npm, bin: string, io: BuildIo): Promise<void> {
  await mkdir(project, { recursive: true });
  for (const [name, sha256] of Object.entries(recipe.files))
    await writeFile(path.join(project, path.basename(name)), await io.source(sha256));
  const [command, ...first] = npm.command;
  const omit = recipe.dev ? ['--include=dev'] : ['--omit=dev'];
  const failure = watchNpm();
  const options = { cwd: project, env: npmEnvironment(bin, io), onLine: failure.onLine };
  await io.run(command, [...first, 'ci', ...omit, '--no-audit', '--no-fund', '--ignore-scripts=false'], options).catch((error: unknown) => {
    io.signal.throwIfAborted();
    throw failure.explain(error);
  });
}

/** Production or not is the recipe's affair alone; the job's Node must be the one that install scripts see. */
function npmEnvironment(bin: string, io: BuildIo): Record<string, string> {
  return {
    HOME: path.join(io.directory, 'home'),
    PATH: [bin, io.env['PATH'] ?? ''].join(path.delimiter),
    NODE_ENV: '',
    NODE_USE_SYSTEM_CA: '1',
    npm_config_cache: path.join(io.directory, 'npm-cache'),
    npm_config_update_notifier: 'false',
    npm_config_progress: 'false',
    npm_config_color: 'false',
  };
}

/** Collects npm's error lines: `npm error code E404`, `npm error 404  'left-pad@9' is not in this registry.` */
function watchNpm(): { onLine: (line: string) => void; explain(cause: unknown): RawcloudError } {
  const lines: string[] = [];
  return {
    onLine: (line) => {
      const text = /^npm (?:error|ERR!) (.*\S)/.exec(line)?.[1];
      if (text !== undefined && !text.startsWith('A complete log') && lines.length < 3) lines.push(text);
    },
    explain: (cause) => {
      const why = lines.length > 0 ? lines.join('; ') : isRawcloudError(cause) ? cause.message : String(cause);
      return new RawcloudError('E_ENVIRONMENT', `npm could not install the Node packages: ${why}`, {
        remedy: "The environment log has npm's own words (rawcloud logs --environment). Packages behind credentials are coming.",
        cause,
      });
    },
  };
}

async function versionNotices(recipe: NodeRecipe, node: string, io: BuildIo): Promise<Notice[]> {
  const here = node === io.node ? process.versions.node : (await answerOf(node, ['--version'], io))?.replace(/^v/, '');
  if (here === undefined || recipe.node === undefined || major(here) === major(recipe.node)) return [];
  return [{ level: 'warning', text: `Node ${here} runs on the VM, ${recipe.node} on your machine` }];
}

function major(version: string): string {
  return version.split('.')[0]!;
}
