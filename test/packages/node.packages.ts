import path from 'node:path';
import { readdir, rm } from 'node:fs/promises';
import { ADDON, headers, openNodeWorkshop, WORKSPACE } from './node-projects';
import type { Manager, NodeWorkshop } from './node-projects';

let shop: NodeWorkshop;
beforeAll(async () => {
  shop = await openNodeWorkshop();
});
afterAll(() => shop.close());
afterEach(() => rm(shop.house.project, { recursive: true, force: true }).then(() => shop.house.write({ '.keep': '' })));

interface Case {
  readonly manager: Manager;
  /** Words before those of a program of Node. */
  readonly node: readonly string[];
  /** @default - what npm takes */
  readonly files?: Readonly<Record<string, string>>;
  readonly lib?: string;
  readonly more?: object;
  /** An older form of what is proven in full: once here and once there, without the cache. */
  readonly isOld?: boolean;
}

/** Neither the one that runs these tests nor one that anybody has by chance. */
const OTHER_NODE = '22.11.0';

const NODE = ['node'];
const ROOT = { name: 'demo', version: '1.0.0', private: true, workspaces: ['packages/*'], devDependencies: { 'is-odd': '3.0.1' } };
/** yarn 4 brings no node-gyp of its own. */
const GYP = { dependencies: { 'node-gyp': '11.2.0' } };

const CASES: Readonly<Record<string, Case>> = {
  npm: { manager: 'npm', node: NODE },
  pnpm: {
    manager: 'pnpm',
    node: NODE,
    lib: 'workspace:*',
    files: { 'pnpm-workspace.yaml': "packages: ['packages/*']\ndangerouslyAllowAllBuilds: true\n" },
  },
  'pnpm 9': { manager: 'pnpm 9', node: NODE, lib: 'workspace:*', files: { 'pnpm-workspace.yaml': "packages: ['packages/*']\n" } },
  'pnpm 8': {
    manager: 'pnpm 8',
    node: NODE,
    isOld: true,
    lib: 'workspace:*',
    files: { 'pnpm-workspace.yaml': "packages: ['packages/*']\n" },
  },
  'pnpm 7': {
    manager: 'pnpm 7',
    node: NODE,
    isOld: true,
    lib: 'workspace:*',
    files: { 'pnpm-workspace.yaml': "packages: ['packages/*']\n" },
  },
  'yarn 1': { manager: 'yarn 1', node: NODE },
  'yarn 2': {
    manager: 'yarn 2',
    node: NODE,
    isOld: true,
    lib: 'workspace:*',
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\n', 'yarn.lock': '' },
    more: GYP,
  },
  'yarn 3': {
    manager: 'yarn 3',
    node: NODE,
    lib: 'workspace:*',
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\n', 'yarn.lock': '' },
    more: GYP,
  },
  'yarn 4 with node_modules': {
    manager: 'yarn 4',
    node: NODE,
    lib: 'workspace:*',
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\nenableScripts: true\n', 'yarn.lock': '' },
    more: GYP,
  },
  "yarn 4 with Plug'n'Play": {
    manager: 'yarn 4',
    node: ['yarn', 'node'],
    lib: 'workspace:*',
    files: { '.yarnrc.yml': 'enableScripts: true\n', 'yarn.lock': '' },
    more: GYP,
  },
  bun: { manager: 'bun', node: NODE, more: { trustedDependencies: ['answer-addon'] } },
};

const INSTALL: Readonly<Record<Manager, readonly [string, ...string[]]>> = {
  npm: ['npm', 'install', '--no-audit', '--no-fund'],
  pnpm: ['pnpm', 'install'],
  'pnpm 9': ['pnpm', 'install'],
  'pnpm 8': ['pnpm', 'install'],
  'pnpm 7': ['pnpm', 'install'],
  'yarn 1': ['yarn', 'install'],
  'yarn 2': ['yarn', 'install'],
  'yarn 3': ['yarn', 'install'],
  'yarn 4': ['yarn', 'install'],
  bun: ['bun', 'install'],
};

test.each(Object.entries(CASES))(
  'a workspace of %s: the same packages here and there, and the same output',
  async (_name, { manager, node, lib = '1.0.0', files = {}, more = {}, isOld = false }) => {
    const { house, tool, run, tryRun } = shop;
    const env = { PATH: shop.pathOf(manager), ...headers() };
    const cwd = path.join(house.project, 'packages/app');
    await house.write({
      ...WORKSPACE,
      ...ADDON,
      'package.json': JSON.stringify({ ...ROOT, ...more }),
      'packages/app/package.json': JSON.stringify({
        name: 'app',
        version: '1.0.0',
        dependencies: { '@demo/lib': lib, 'answer-addon': 'file:../../addon.tgz', lightningcss: '1.29.1' },
      }),
      ...files,
    });
    await tool('npm', ['pack', './addon'], { env });
    await tool('mv', ['answer-addon-1.0.0.tgz', 'addon.tgz']);
    await tool('git', ['init', '--quiet']);
    const [install, ...args] = INSTALL[manager];
    await tool(install, args, { env });
    const here = (program: string): Promise<string> => tool(node[0]!, [...node.slice(1), program], { cwd, env });

    const output = await here('main.js');
    expect(output).toBe('1m 42 a{color:red}\n');
    expect(await run(['--', ...node, 'main.js'], { cwd, env })).toBe(output);
    if (!isOld) {
      const built = await house.rawcloud(['logs', '--environment']);
      expect(built.stdout.toString() + built.stderr).toContain('environment kept for later VMs');
      const again = await tryRun(['--', ...node, 'main.js'], { cwd, env });
      expect(again.stdout.toString()).toBe(output);
      expect(again.stderr).toContain('environment restored from cache');
    }
    expect(await run(['--dev-packages', '--', ...node, 'list.js'], { cwd, env })).toBe(await here('list.js'));
  },
);

test('a Node of another line, fetched from the registry: the job runs in it, with the same packages and the same output', async () => {
  const { house, tool, run, tryRun } = shop;
  await house.write({
    'package.json': JSON.stringify({ name: 'app', version: '1.0.0', dependencies: { ms: '2.1.3', lightningcss: '1.29.1' } }),
    'main.js': "console.log(process.version, require('ms')(60000), typeof require('lightningcss').transform);\n",
    '.node-version': `${OTHER_NODE}\n`,
  });
  // The developer has it as a version manager would.
  await tool('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', '../node', `node-linux-${process.arch}@${OTHER_NODE}`]);
  await tool('npm', ['install', '--no-audit', '--no-fund']);
  const node = path.join(house.directory, 'node', 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  const output = await tool(node, ['main.js']);
  expect(output).toBe(`v${OTHER_NODE} 1m function\n`);
  const ended = await tryRun(['--', 'node', 'main.js']);
  expect(ended).toMatchObject({ code: 0, stdout: Buffer.from(output) });
  expect(ended.stderr).toContain(
    `the job gets Node ${OTHER_NODE}, as ${path.join(house.project, '.node-version')} says; ${process.versions.node} runs here`,
  );
  expect((await tool('npm', ['ls', '--all', '--parseable'])).split('\n').length).toBe(
    (await run(['--', 'npm', 'ls', '--all', '--parseable'])).split('\n').length,
  );
  // It was fetched once.
  expect(await readdir(path.join(house.directory, 'cache', 'rawcloud', 'registry', `node-linux-${process.arch}`))).toHaveLength(1);
});
