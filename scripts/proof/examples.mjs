import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../house/root.mjs';
import { output } from './output.mjs';
import { linkInto } from './projects.mjs';

/** Far more than any takes: what hangs shall fail here, and not the machine that waits for it. */
const PATIENCE_MS = 10 * 60_000;

const EXAMPLES = path.join(ROOT, 'examples');

/** Directories under examples/ that are apps. @param {string[]} wanted all, when empty */
export function exampleNames(wanted) {
  const apps = readdirSync(EXAMPLES).filter((name) => existsSync(path.join(EXAMPLES, name, 'package.json')));
  const unknown = wanted.filter((name) => !apps.includes(name));
  assert.deepEqual(unknown, [], `there is no example ${unknown.join(', ')}; there are ${apps.join(', ')}`);
  return wanted.length > 0 ? wanted : apps;
}

/**
 * Copies of the examples, with one node_modules for all.
 * @param {string} tarball
 * @param {string} workspace directory that is made
 * @param {string[]} names
 * @param {{ install: boolean }} options
 */
export async function makeWorkspace(tarball, workspace, names, { install }) {
  mkdirSync(workspace);
  for (const name of names) cpSync(path.join(EXAMPLES, name), path.join(workspace, name), { recursive: true, filter: isSource });
  const manifest = { name: 'examples', private: true, workspaces: names, overrides: { rawcloud: `file:${tarball}` } };
  writeFileSync(path.join(workspace, 'package.json'), JSON.stringify(manifest));
  if (install) await output('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: workspace });
  else await linkInto(workspace, tarball, othersOf(workspace, names));
  return workspace;
}

/** Not what somebody's own use of an example left there. */
function isSource(file) {
  return !['node_modules', 'cdk.out', 'build'].includes(path.basename(file));
}

function othersOf(workspace, names) {
  const asked = names.flatMap((name) => {
    const { dependencies, devDependencies } = manifestOf(workspace, name);
    return [...Object.keys(dependencies), ...Object.keys(devDependencies)];
  });
  return [...new Set(asked)].filter((name) => name !== 'rawcloud');
}

function manifestOf(workspace, name) {
  return JSON.parse(readFileSync(path.join(workspace, name, 'package.json'), 'utf8'));
}

/** @returns {Promise<string>} what was done */
export async function checkExample(workspace, name) {
  const cwd = path.join(workspace, name);
  const { scripts } = manifestOf(workspace, name);
  assert.ok(existsSync(path.join(cwd, 'README.md')), 'it has no README.md');
  const env = { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true', AWS_EC2_METADATA_DISABLED: 'true' };
  await output('npm', ['run', '--silent', 'synth', '--', '--no-notices', '--no-lookups'], { cwd, env, timeout: PATIENCE_MS });
  const stacks = readdirSync(path.join(cwd, 'cdk.out')).filter((file) => file.endsWith('.template.json'));
  const said = stacks.map(
    (file) => `${file.slice(0, -'.template.json'.length)} of ${resourcesIn(path.join(cwd, 'cdk.out', file))} resources`,
  );
  if (scripts.test) await output('npm', ['run', '--silent', 'test'], { cwd, env, timeout: PATIENCE_MS });
  return `${said.join(', ')}${scripts.test ? '; its tests pass' : ''}`;
}

function resourcesIn(template) {
  return Object.keys(JSON.parse(readFileSync(template, 'utf8')).Resources).length;
}
