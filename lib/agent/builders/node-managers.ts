import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { BuildIo, NodeManager, NodeProject } from '../../contract';
import { headersOf } from './node-program';
import type { Tool } from './node-tools';
import { isThere } from './programs';

export interface Install {
  readonly project: NodeProject;
  readonly tool: Tool;
  readonly node: string;
  /** Directory with links to node and the managers. */
  readonly bin: string;
  /** Of the project, absolute. */
  readonly directory: string;
  /** How registries are reached. */
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

/** What one manager is called with, so that it takes what the lockfile says and nothing else. */
interface Way {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Directories of the layer's own that are of no use once everything is installed, */
  readonly rests: readonly string[];
  /** unless the project has this file. */
  readonly needed?: string;
}

/** @throws E_ENVIRONMENT */
export async function installWith({ project, tool, node, bin, directory, env, onLine }: Install, io: BuildIo): Promise<void> {
  const way = WAYS[project.manager](project, io);
  const [command, ...first] = tool.command;
  const variables = { ...(await commonEnvironment(node, bin, io)), ...way.env, ...env };
  await io.run(command, [...first, ...way.args], { cwd: directory, env: variables, onLine });
  if (way.needed !== undefined && (await isThere(path.join(directory, way.needed)))) return;
  for (const rest of way.rests) await rm(path.join(io.directory, rest), { recursive: true, force: true });
}

/** Production or not is the recipe's affair alone; the job's Node must be the one that install scripts see. */
async function commonEnvironment(node: string, bin: string, io: BuildIo): Promise<Record<string, string>> {
  const headers = await headersOf(node);
  return {
    HOME: path.join(io.directory, 'home'),
    PATH: [bin, io.env['PATH'] ?? ''].join(path.delimiter),
    NODE_ENV: '',
    NODE_USE_SYSTEM_CA: '1',
    // What a hook of git would be made for is not there.
    HUSKY: '0',
    // Managers would fetch the version that package.json names, which is the one that runs.
    COREPACK_ENABLE_STRICT: '0',
    ...(headers === undefined ? {} : { npm_config_nodedir: headers, npm_package_config_node_gyp_nodedir: headers }),
  };
}

const WAYS: Readonly<Record<NodeManager, (project: NodeProject, io: BuildIo) => Way>> = {
  npm: ({ dev }, io) => ({
    args: ['ci', dev ? '--include=dev' : '--omit=dev', '--no-audit', '--no-fund'],
    env: {
      npm_config_cache: path.join(io.directory, 'npm-cache'),
      npm_config_update_notifier: 'false',
      npm_config_progress: 'false',
      npm_config_color: 'false',
    },
    rests: ['npm-cache'],
  }),
  // Files are links into the store or copies, and stay when it goes.
  pnpm: ({ dev }, io) => ({
    args: [
      'install',
      '--frozen-lockfile',
      ...(dev ? [] : ['--prod']),
      '--reporter=append-only',
      `--store-dir=${path.join(io.directory, 'pnpm-store')}`,
    ],
    env: {
      npm_config_cache: path.join(io.directory, 'pnpm-cache'),
      npm_config_confirm_modules_purge: 'false',
      npm_config_manage_package_manager_versions: 'false',
      pnpm_config_confirm_modules_purge: 'false',
      pnpm_config_pm_on_fail: 'ignore',
      pnpm_config_package_manager_strict: 'false',
      XDG_CACHE_HOME: path.join(io.directory, 'home', '.cache'),
      NO_COLOR: '1',
    },
    rests: ['pnpm-store', 'pnpm-cache'],
  }),
  yarn: (project, io) => (project.version.startsWith('1.') ? classicWay(project, io) : berryWay(project, io)),
  bun: ({ dev }, io) => ({
    args: ['install', '--frozen-lockfile', ...(dev ? [] : ['--production']), '--no-progress'],
    env: { BUN_INSTALL_CACHE_DIR: path.join(io.directory, 'bun-cache'), NO_COLOR: '1' },
    rests: ['bun-cache'],
  }),
};

function classicWay({ dev }: NodeProject, io: BuildIo): Way {
  return {
    args: ['install', '--frozen-lockfile', '--non-interactive', '--no-progress', `--production=${!dev}`],
    env: { YARN_CACHE_FOLDER: path.join(io.directory, 'yarn-cache'), YARN_IGNORE_PATH: '1', npm_config_color: 'false' },
    rests: ['yarn-cache'],
  };
}

/** Plug'n'Play loads packages out of the cache. Only `workspaces focus`, in yarn itself from 4 on, leaves development packages out. */
function berryWay({ dev, version }: NodeProject, io: BuildIo): Way {
  const all = dev || Number(version.split('.')[0]) < 4;
  return {
    args: all ? ['install', '--immutable'] : ['workspaces', 'focus', '--all', '--production'],
    env: {
      YARN_GLOBAL_FOLDER: path.join(io.directory, 'yarn-global'),
      YARN_ENABLE_INLINE_BUILDS: '1',
      YARN_ENABLE_PROGRESS_BARS: '0',
      YARN_ENABLE_TELEMETRY: '0',
      YARN_ENABLE_COLORS: '0',
      YARN_ENABLE_HYPERLINKS: '0',
      YARN_IGNORE_PATH: '1',
    },
    rests: ['yarn-global'],
    needed: '.pnp.cjs',
  };
}
