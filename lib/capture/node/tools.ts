import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { satisfies, valid } from 'semver';
import * as v from 'valibot';
import { RawcloudError } from '../../contract';
import type { CaptureContext, NodeManager, NodeTool, Notice, SourceContent } from '../../contract';
import { findExecutable, isFile } from '../executables';
import { fetchTarball } from '../registry-tarball';
import { managerNamedBy } from './choice';
import { archiveNpm } from './npm-archive';
import type { Project } from './project';
import { readYarnRc } from './yarn-rc';

export interface CarriedTool {
  readonly tool: NodeTool;
  readonly contents: readonly SourceContent[];
  readonly notices: readonly Notice[];
}

/** What is taken of a manager when nothing says which version. */
const USUAL: Readonly<Record<NodeManager, string>> = { npm: '*', pnpm: '10', yarn: '^1.22', bun: '1' };

/**
 * A package manager of the version that the project asks for: packageManager, yarnPath, the installed one where it reads
 * the lockfile, else the newest that does.
 */
export async function carryTool(name: NodeManager, project: Project | undefined, context: CaptureContext): Promise<CarriedTool> {
  const mine = project?.lock.manager === name ? project : undefined;
  const script = name === 'yarn' && mine ? await yarnScript(mine, context) : undefined;
  if (script) return { tool: { name, archives: [], ...script }, contents: [], notices: [] };
  const asked = askedVersion(name, project);
  if (name === 'npm') return carryNpm(asked, context);
  const readers = mine?.lock.managers;
  if (asked !== undefined) checkReads(name, asked, mine);
  const installed = asked ?? (context.locked ? undefined : await installedVersion(name, context));
  const fitting = installed !== undefined && (readers === undefined || satisfies(installed, readers)) ? installed : undefined;
  return carryFromRegistry(name, fitting ?? rangeFor(name, readers), asked !== undefined, context);
}

/** Of a range without an end, the manager's usual line where it is in it. */
function rangeFor(name: NodeManager, readers: string | undefined): string {
  if (readers === undefined) return USUAL[name];
  return name === 'pnpm' && readers === '>=9' ? USUAL.pnpm : readers;
}

/** `pnpm@9.1.0+sha512.…`, where it is about this manager. */
function askedVersion(name: NodeManager, project: Project | undefined): string | undefined {
  if (!project || managerNamedBy(project.manifest) !== name) return undefined;
  const version = /^[a-z]+@([^+]+)/.exec(project.manifest.packageManager!)?.[1];
  if (version !== undefined && valid(version) !== null) return version;
  throw new RawcloudError(
    'E_PACKAGE',
    `packageManager in ${path.join(project.directory, 'package.json')} is '${project.manifest.packageManager}'`,
    {
      remedy: `Write an exact version, as "${name}@${name === 'yarn' ? '4.5.3' : '10.9.0'}".`,
    },
  );
}

function checkReads(name: NodeManager, version: string, project: Project | undefined): void {
  if (!project || satisfies(version, project.lock.managers, { includePrerelease: true })) return;
  const { file, format, managers } = project.lock;
  throw new RawcloudError(
    'E_PACKAGE',
    `package.json asks for ${name} ${version}, and ${file} (version ${format}) is read by ${name} ${managers}`,
    {
      remedy: `Write the lockfile anew with ${name} ${version}, or correct packageManager.`,
    },
  );
}

/** yarnPath: yarn as a file of the tree. */
async function yarnScript(project: Project, { root }: CaptureContext): Promise<{ version: string; script: string } | undefined> {
  const { yarnPath } = await readYarnRc(project.directory);
  if (yarnPath === undefined) return undefined;
  const file = path.resolve(project.directory, yarnPath);
  const script = path.relative(root, file).split(path.sep).join('/');
  const remedy = "Run 'yarn set version' here, which writes it into .yarn/releases, or take yarnPath out of .yarnrc.yml.";
  if (!(await isFile(file)))
    throw new RawcloudError('E_PACKAGE', `yarnPath in .yarnrc.yml is '${yarnPath}', and there is no such file`, { remedy });
  if (script.startsWith('..'))
    throw new RawcloudError('E_PACKAGE', `yarnPath in .yarnrc.yml is '${yarnPath}', outside of what travels`, { remedy });
  return { version: /(\d+\.\d+\.\d+(?:-[\w.]+)?)\.c?js$/.exec(script)?.[1] ?? 'of yarnPath', script };
}

/** The installed one is carried from where it lies, so that no registry is asked; another one comes from there. */
async function carryNpm(asked: string | undefined, context: CaptureContext): Promise<CarriedTool> {
  const npm = await archiveNpm(context);
  if (npm && (asked === undefined || asked === npm.version))
    return { tool: { name: 'npm', version: npm.version, archives: [npm.content.sha256] }, contents: [npm.content], notices: [] };
  return asked === undefined
    ? { tool: { name: 'npm', version: '', archives: [] }, contents: [], notices: [] }
    : carryFromRegistry('npm', asked, true, context);
}

async function carryFromRegistry(name: NodeManager, range: string, named: boolean, context: CaptureContext): Promise<CarriedTool> {
  const fetched: SourceContent[] = [];
  let version = range;
  for (const one of packagesOf(name, range, context.platform)) {
    const tarball = await fetchTarball({ ...context, name: one, range: version, any: !context.locked });
    version = tarball.version;
    fetched.push(tarball.content);
    // From 12 on pnpm is an executable in a package of its own; beside it must lie what is in the first.
    if (one === 'pnpm' && satisfies(version, '>=12', { includePrerelease: true })) {
      const executable = await fetchTarball({ ...context, name: `@pnpm/exe.${short(context.platform)}`, range: version, any: false });
      fetched.push(executable.content);
    }
  }
  const text = `${name} ${version} installs the packages; "packageManager": "${name}@${version}" in package.json pins it`;
  return {
    tool: { name, version, archives: fetched.map(({ sha256 }) => sha256) },
    contents: fetched,
    notices: context.locked && !named ? [{ level: 'info', text }] : [],
  };
}

function packagesOf(name: NodeManager, range: string, platform: string): string[] {
  if (name === 'bun') return [`@oven/bun-${short(platform).replace('arm64', 'aarch64')}`];
  if (name === 'yarn' && !/^[\^~]?1(\.|$)/.test(range)) return ['@yarnpkg/cli-dist'];
  return [name];
}

/** `linux-x86_64` gives `linux-x64`, as packages call it. */
function short(platform: string): string {
  return platform.replace('x86_64', 'x64');
}

/** By the package.json beside it: a program may be a shim that would fetch another one. */
async function installedVersion(name: NodeManager, context: CaptureContext): Promise<string | undefined> {
  const program = await findExecutable(name, context);
  if (program === undefined) return undefined;
  const script = await realpath(program);
  const file = path.join(path.dirname(script), '..', 'package.json');
  if (await isFile(file)) {
    const found = v.safeParse(v.looseObject({ name: v.string(), version: v.string() }), JSON.parse(await readFile(file, 'utf8')));
    if (found.success && found.output.name === name) return found.output.version;
  }
  return /\.[cm]?js$/.test(script) || name !== 'bun' ? undefined : answeredVersion(script, context);
}

async function answeredVersion(program: string, { env, cwd, signal }: CaptureContext): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { env, cwd, timeout: 20_000, ...(signal ? { signal } : {}) });
    return valid(stdout.trim()) ?? undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
