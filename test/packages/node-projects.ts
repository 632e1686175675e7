import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { openWorkshop } from './workshop';
import type { Workshop } from './workshop';

/** Package managers as the registry has them, for the developer alone. */
const MANAGERS = {
  npm: undefined,
  pnpm: 'pnpm@10.34.9',
  'pnpm 9': 'pnpm@9.15.9',
  'pnpm 8': 'pnpm@8.15.9',
  'pnpm 7': 'pnpm@7.33.7',
  'yarn 1': 'yarn@1.22.22',
  'yarn 2': '@yarnpkg/cli-dist@2.4.2',
  'yarn 3': '@yarnpkg/cli-dist@3.8.7',
  'yarn 4': '@yarnpkg/cli-dist@4.18.1',
  bun: 'bun@1.4.5',
} as const;

export type Manager = keyof typeof MANAGERS;

/** A developer with all of them, and VMs with no more than Node and npm. */
export interface NodeWorkshop extends Workshop {
  /** PATH with this manager before all else. */
  readonly pathOf: (manager: Manager) => string;
}

export async function openNodeWorkshop(): Promise<NodeWorkshop> {
  const tools = path.join(process.env['TMPDIR']!, 'managers');
  const directoryOf = (manager: Manager): string => path.join(tools, manager.replace(' ', '-'));
  for (const [manager, name] of Object.entries(MANAGERS)) {
    if (name === undefined) continue;
    const prefix = directoryOf(manager as Manager);
    await mkdir(prefix, { recursive: true });
    const args = ['install', '--prefix', prefix, '--no-audit', '--no-fund', '--no-package-lock', name];
    await promisify(execFile)('npm', args, { cwd: prefix });
  }
  const shop = await openWorkshop({ tools: path.dirname(process.execPath), vm: {} });
  return {
    ...shop,
    pathOf: (manager) => `${path.join(directoryOf(manager), 'node_modules', '.bin')}:${shop.env['PATH']}`,
    close: async () => {
      await shop.close();
      await rm(tools, { recursive: true });
    },
  };
}

/** Node's headers, where this machine has them (else node-gyp fetches them), and npm's own node-gyp: bun has none. */
export function headers(): Record<string, string> {
  const prefix = path.join(realpathSync(process.execPath), '..', '..');
  const gyp = process.env['npm_config_node_gyp'];
  return {
    ...(existsSync(path.join(prefix, 'include', 'node', 'node.h')) ? { npm_config_nodedir: prefix } : {}),
    ...(gyp === undefined ? {} : { npm_config_node_gyp: gyp }),
  };
}

/** An add-on that is compiled when it is installed. */
export const ADDON = {
  'addon/package.json': JSON.stringify({
    name: 'answer-addon',
    version: '1.0.0',
    main: 'index.js',
    gypfile: true,
    scripts: { install: 'node-gyp rebuild' },
    files: ['*'],
  }),
  'addon/binding.gyp': '{"targets":[{"target_name":"answer","sources":["answer.c"]}]}',
  'addon/answer.c': `#include <node_api.h>
static napi_value answer(napi_env env, napi_callback_info info) { napi_value value; napi_create_int32(env, 42, &value); return value; }
NAPI_MODULE_INIT() { napi_value f; napi_create_function(env, "answer", NAPI_AUTO_LENGTH, answer, NULL, &f); return f; }
`,
  'addon/index.js': "module.exports = require('./build/Release/answer.node')();\n",
};

/** A workspace of two packages; what git ignores of one is built; an add-on that is packed, and one that comes for each platform. */
export const WORKSPACE = {
  '.gitignore': 'node_modules/\ndist/\n/addon/\n.yarn/\n.pnp.*\n',
  'packages/lib/package.json': JSON.stringify({
    name: '@demo/lib',
    version: '1.0.0',
    main: 'dist/index.js',
    dependencies: { ms: '2.1.3' },
  }),
  'packages/lib/dist/index.js': "module.exports = require('ms');\n",
  'packages/app/main.js': `const { transform } = require('lightningcss');
const css = transform({ filename: 'a.css', code: Buffer.from('a { color: red }'), minify: true }).code;
console.log(require('@demo/lib')(60000), require('answer-addon'), String(css));
`,
  'packages/app/list.js': LIST(),
};

/** Prints names and versions of all packages that are installed, whoever did it. */
function LIST(): string {
  return `const fs = require('node:fs');
const path = require('node:path');
const found = new Set();
const seen = new Set();
function visit(directory) {
  let real;
  try { real = fs.realpathSync(directory); } catch { return; }
  if (seen.has(real)) return;
  seen.add(real);
  const manifest = path.join(real, 'package.json');
  if (fs.existsSync(manifest)) {
    const { name, version } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
    found.add(name + '@' + version);
  }
  const modules = path.join(real, 'node_modules');
  for (const entry of fs.existsSync(modules) ? fs.readdirSync(modules) : []) {
    const at = path.join(modules, entry);
    if (entry === '.pnpm' || entry === '.store') for (const one of fs.readdirSync(at)) visit(path.join(at, one));
    if (entry.startsWith('.')) continue;
    for (const one of entry.startsWith('@') ? fs.readdirSync(at).map((name) => path.join(at, name)) : [at]) visit(one);
  }
}
if (process.versions.pnp) {
  const pnp = require('pnpapi');
  for (const locator of pnp.getAllLocators()) {
    const { packageLocation } = pnp.getPackageInformation(locator) ?? {};
    if (packageLocation && fs.existsSync(packageLocation)) found.add(locator.name + ' ' + locator.reference.replace(/^virtual:[^#]*#/, ''));
  }
} else for (const at of ['../..', '../lib', '.']) visit(path.join(__dirname, at));
console.log([...found].sort().join('\\n'));
`;
}
