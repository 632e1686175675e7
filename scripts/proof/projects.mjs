import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../house/root.mjs';
import { output } from './output.mjs';

/** What somebody has who deploys from TypeScript. */
const CDK_TOOLS = ['aws-cdk-lib', 'constructs', 'typescript', '@types/node'];

/**
 * Two fresh projects with the package in them: `plain` has nothing else, `cdk` also what {@link CDK_TOOLS} names.
 * @param {string} tarball
 * @param {string} directory
 * @param {{ install: boolean }} options
 * @returns {Promise<{ plain: string, cdk: string }>} their directories
 */
export async function makeProjects(tarball, directory, { install }) {
  const put = install ? installInto : linkInto;
  const projects = { plain: path.join(directory, 'plain'), cdk: path.join(directory, 'cdk') };
  for (const project of Object.values(projects)) {
    mkdirSync(project);
    writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: path.basename(project), private: true }));
  }
  await put(projects.plain, tarball, []);
  await put(projects.cdk, tarball, CDK_TOOLS);
  return projects;
}

async function installInto(project, tarball, others) {
  const wanted = others.map((name) => `${name}@${manifestOf(name).version}`);
  await output('npm', ['install', tarball, ...wanted, '--prefer-offline', '--no-audit', '--no-fund'], { cwd: project });
}

/** The package itself is copied, so that it finds no more than the project has. */
export async function linkInto(project, tarball, others) {
  const home = path.join(project, 'node_modules/rawcloud');
  mkdirSync(home, { recursive: true });
  await output('tar', ['-xzf', tarball, '-C', home, '--strip-components=1']);
  const { dependencies, bin } = JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), ...others])
    link(path.join(ROOT, 'node_modules', name), path.join(project, 'node_modules', name));
  link(path.join(home, bin.rawcloud), path.join(project, 'node_modules/.bin/rawcloud'));
  for (const name of others) linkPrograms(name, project);
}

function linkPrograms(name, project) {
  const { bin = {} } = manifestOf(name);
  const programs = typeof bin === 'string' ? { [path.basename(name)]: bin } : bin;
  for (const [program, file] of Object.entries(programs))
    link(path.join(ROOT, 'node_modules', name, file), path.join(project, 'node_modules/.bin', program));
}

function link(target, at) {
  mkdirSync(path.dirname(at), { recursive: true });
  symlinkSync(target, at);
}

function manifestOf(name) {
  return JSON.parse(readFileSync(path.join(ROOT, 'node_modules', name, 'package.json'), 'utf8'));
}
