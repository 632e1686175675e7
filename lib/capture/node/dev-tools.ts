import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { simpleCommands } from '../command-words';
import type { SimpleCommand } from '../command-words';
import type { Need } from '../needs';
import { installScripts } from './manifest';
import type { Manifest } from './manifest';
import type { Project } from './project';

/** A script may call another; nobody writes deeper chains than this but by mistake. */
const MAX_DEPTH = 8;

/** Programs of packages that are called otherwise, for where nothing is installed that could be asked. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  typescript: ['tsc', 'tsserver'],
  '@babel/cli': ['babel'],
  '@babel/node': ['babel-node'],
  '@biomejs/biome': ['biome'],
  '@nestjs/cli': ['nest'],
  '@swc/cli': ['swc'],
  '@playwright/test': ['playwright'],
  '@angular/cli': ['ng'],
  '@vue/cli-service': ['vue-cli-service'],
  'webpack-cli': ['webpack', 'webpack-cli'],
  'npm-run-all': ['run-s', 'run-p'],
};

/**
 * True when the command needs development dependencies: a word of it (or of the package.json script that it runs, or of a script
 * that an install runs) is a program or the name of one, or it runs something that nobody can see into.
 */
export async function needsDevelopment(need: Need, project: Project, locked: boolean): Promise<boolean> {
  if (need.kind === 'possible') return true;
  const tools = await developmentTools(project, locked);
  const start = project.own.find(({ directory }) => directory === project.start)?.manifest ?? project.manifest;
  const commands = [
    ...scriptCommands(need.commands, start),
    ...project.own.flatMap(({ manifest }) => (manifest ? ownInstallCommands(manifest) : [])),
  ];
  return commands.some(({ words }) => words.some((word) => names(word, tools)));
}

function ownInstallCommands(manifest: Manifest): SimpleCommand[] {
  const commands = installScripts(manifest).flatMap((name) => simpleCommands(['sh', '-c', manifest.scripts[name]!]));
  return scriptCommands(commands, manifest);
}

/** Names of development packages and of the programs they bring, less what stays without them. */
async function developmentTools({ lock, own, directory }: Project, locked: boolean): Promise<Set<string>> {
  const tools = new Set(lock.developmentTools);
  for (const { manifest } of own) {
    for (const name of Object.keys(manifest?.devDependencies ?? {})) {
      const installed = locked ? [] : await programsOf(path.join(directory, 'node_modules', name));
      for (const tool of [name, path.basename(name), ...(PROGRAMS[name] ?? []), ...installed]) tools.add(tool);
    }
  }
  for (const { manifest } of own) for (const name of Object.keys(manifest?.dependencies ?? {})) tools.delete(name);
  return tools;
}

const BinSchema = v.looseObject({ bin: v.optional(v.union([v.string(), v.record(v.string(), v.string())])) });

async function programsOf(directory: string): Promise<string[]> {
  const text = await readFile(path.join(directory, 'package.json'), 'utf8').catch(() => '{}');
  const found = v.safeParse(v.pipe(v.string(), v.parseJson(), BinSchema), text);
  return found.success && typeof found.output.bin === 'object' ? Object.keys(found.output.bin) : [];
}

/** `tsx`, `node_modules/.bin/tsx`, `ts-node/register`, `--import=tsx` */
function names(word: string, tools: ReadonlySet<string>): boolean {
  const value = word.replace(/^--?[\w-]+=/, '');
  const parts = value.split('/');
  return [value, path.basename(value), parts[0]!, parts.slice(0, 2).join('/')].some((name) => tools.has(name));
}

/** The commands, and those of the package.json scripts that they run through a package manager. */
function scriptCommands(commands: readonly SimpleCommand[], manifest: Manifest, depth = 0): SimpleCommand[] {
  if (depth === MAX_DEPTH) return [...commands];
  return commands.flatMap((command) => {
    const script = scriptName(command, manifest);
    if (script === undefined) return [command];
    const texts = [`pre${script}`, script, `post${script}`].flatMap((name) => manifest.scripts[name] ?? []);
    const inside = texts.flatMap((text) => simpleCommands(['sh', '-c', text]));
    return [command, ...scriptCommands(inside, manifest, depth + 1)];
  });
}

const RUN_VERBS = new Set(['run', 'run-script', 'rum', 'urn']);
const TEST_VERBS = new Set(['t', 'tst', 'test']);

/** `npm run build`, `npm test`, `pnpm build`, `yarn build`, `bun run build`; options may stand anywhere. */
function scriptName({ program, words }: SimpleCommand, { scripts }: Manifest): string | undefined {
  const manager = path.basename(program);
  if (!['npm', 'pnpm', 'yarn', 'yarnpkg', 'bun'].includes(manager)) return undefined;
  const [verb, name] = words.slice(words.indexOf(program) + 1).filter((word) => !word.startsWith('-'));
  if (verb === undefined || RUN_VERBS.has(verb)) return name;
  if (TEST_VERBS.has(verb) && manager !== 'bun') return 'test';
  if (manager !== 'npm') return verb in scripts ? verb : undefined;
  return verb === 'start' || verb === 'stop' || verb === 'restart' ? verb : undefined;
}
