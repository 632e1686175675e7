import { chmod, readFile, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { BuildIo, NodeManager, NodeTool } from '../../contract';
import { findProgram, isThere, unpack } from './programs';

/** A package manager that can be run. */
export interface Tool {
  readonly name: NodeManager;
  readonly version: string;
  readonly command: readonly [string, ...string[]];
  /** By name, what the job's PATH must link to; nothing when the VM has it on PATH itself. */
  readonly programs: Readonly<Record<string, string>>;
}

/** Programs of each manager, and where they lie in what was unpacked: the first place that is there. `+`: words put before the rest. */
const PLACES: Readonly<Record<NodeManager, Readonly<Record<string, readonly string[]>>>> = {
  npm: { npm: ['bin/npm-cli.js'], npx: ['bin/npx-cli.js'] },
  pnpm: { pnpm: ['bin/pnpm.cjs', 'bin/pnpm.mjs'], pnpx: ['bin/pnpx.cjs', 'bin/pnpx.mjs'] },
  yarn: { yarn: ['bin/yarn.js'], yarnpkg: ['bin/yarn.js'] },
  bun: { bun: ['bin/bun'], bunx: ['bin/bun +x'] },
};

/** From version 12 on, pnpm is an executable, beside what it brings in another archive. */
const PNPM_EXECUTABLE = { pnpm: ['pnpm'], pnpx: ['pnpm +dlx'] };

/** Those that can be had: the tree's own script, the VM's of the same version, the one that travelled, the VM's whatever it is. */
export async function prepareTools(tools: readonly NodeTool[], node: string, io: BuildIo): Promise<Tool[]> {
  const prepared: Tool[] = [];
  for (const tool of tools) {
    const found = await prepareTool(tool, node, io);
    if (found) prepared.push(found);
  }
  return prepared;
}

async function prepareTool(tool: NodeTool, node: string, io: BuildIo): Promise<Tool | undefined> {
  const { name, version, archives, script } = tool;
  if (script !== undefined) return starters(tool, { yarn: path.join(io.root, script), yarnpkg: path.join(io.root, script) }, node, io);
  const there = findProgram(name, io);
  const isSame = there !== undefined && (await versionAt(there, name)) === version;
  if (there !== undefined && (isSame || archives.length === 0)) return { name, version, command: [there], programs: {} };
  if (archives.length === 0) return undefined;
  const directory = path.join(io.directory, name);
  if (!(await isThere(directory))) {
    io.log(`unpacking ${name} ${version}`);
    for (const archive of archives) await unpack(archive, directory, io, 1);
  }
  const places = name === 'pnpm' && archives.length > 1 ? PNPM_EXECUTABLE : PLACES[name];
  const files: Record<string, string> = {};
  for (const [program, candidates] of Object.entries(places))
    files[program] = path.join(directory, await firstThere(directory, candidates));
  return starters(tool, files, node, io);
}

async function firstThere(directory: string, candidates: readonly string[]): Promise<string> {
  for (const candidate of candidates) if (await isThere(path.join(directory, candidate.split(' +')[0]!))) return candidate;
  return candidates[0]!;
}

/** Small shell scripts: a program starts on the Node that was chosen, and with words of its own. */
async function starters(tool: NodeTool, files: Readonly<Record<string, string>>, node: string, io: BuildIo): Promise<Tool> {
  const programs: Record<string, string> = {};
  for (const [program, place] of Object.entries(files)) {
    const [file = '', words = ''] = place.split(' +');
    const run = /\.[cm]?js$/.test(file) ? `${quote(node)} ${quote(file)}` : quote(file);
    const starter = path.join(io.directory, `start-${program}`);
    await writeFile(starter, `#!/bin/sh\nexec ${[run, words].filter((part) => part !== '').join(' ')} "$@"\n`);
    await chmod(starter, 0o755);
    programs[program] = starter;
  }
  return { name: tool.name, version: tool.version, command: [programs[tool.name]!], programs };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** As its own package.json says: to ask the program takes a third of a second. */
async function versionAt(program: string, name: string): Promise<string | undefined> {
  const text = await readFile(path.join(await realpath(program), '..', '..', 'package.json'), 'utf8').catch(() => '{}');
  const found = v.safeParse(v.pipe(v.string(), v.parseJson(), v.looseObject({ name: v.literal(name), version: v.string() })), text);
  return found.success ? found.output.version : undefined;
}
