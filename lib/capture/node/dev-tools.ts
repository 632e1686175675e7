import path from 'node:path';
import { simpleCommands } from '../command-words';
import type { SimpleCommand } from '../command-words';
import type { Need } from '../needs';
import { packageName } from './lockfile';
import type { Project } from './project';

/** A script may call another; nobody writes deeper chains than this but by mistake. */
const MAX_DEPTH = 8;

/**
 * True when the command needs development dependencies: a word of it (or of the package.json script that it runs)
 * is a program or the name of one, or it runs something that nobody can see into.
 */
export function needsDevelopment(need: Need, project: Pick<Project, 'manifest' | 'lockfile'>): boolean {
  if (need.kind === 'possible') return true;
  const tools = developmentTools(project);
  return scriptCommands(need.commands, project).some(({ words }) => words.some((word) => names(word, tools)));
}

/** Names of development packages and of the programs they bring, less what stays without them. */
function developmentTools({ lockfile }: Pick<Project, 'lockfile'>): Set<string> {
  const tools = new Set<string>();
  for (const [at, entry] of Object.entries(lockfile.packages)) {
    if (!entry.dev || at === '') continue;
    tools.add(packageName(at));
    if (typeof entry.bin === 'object') for (const bin of Object.keys(entry.bin)) tools.add(bin);
  }
  return tools;
}

/** `tsx`, `node_modules/.bin/tsx`, `ts-node/register`, `--import=tsx` */
function names(word: string, tools: ReadonlySet<string>): boolean {
  const value = word.replace(/^--?[\w-]+=/, '');
  const parts = value.split('/');
  return [value, path.basename(value), parts[0]!, parts.slice(0, 2).join('/')].some((name) => tools.has(name));
}

/** The commands, and those of the package.json scripts that they run through npm. */
function scriptCommands(commands: readonly SimpleCommand[], { manifest }: Pick<Project, 'manifest'>, depth = 0): SimpleCommand[] {
  if (depth === MAX_DEPTH) return [...commands];
  return commands.flatMap((command) => {
    const script = scriptName(command);
    if (script === undefined) return [command];
    const texts = [`pre${script}`, script, `post${script}`].flatMap((name) => manifest.scripts[name] ?? []);
    const inside = texts.flatMap((text) => simpleCommands(['sh', '-c', text]));
    return [command, ...scriptCommands(inside, { manifest }, depth + 1)];
  });
}

/** `npm run build`, `npm test`, `npm t`, `npm start`; options may stand anywhere. */
function scriptName({ program, words }: SimpleCommand): string | undefined {
  if (path.basename(program) !== 'npm') return undefined;
  const [verb, name] = words.slice(words.indexOf(program) + 1).filter((word) => !word.startsWith('-'));
  if (verb === 'run' || verb === 'run-script' || verb === 'rum' || verb === 'urn') return name;
  if (verb === 't' || verb === 'tst') return 'test';
  return verb === 'test' || verb === 'start' || verb === 'stop' || verb === 'restart' ? verb : undefined;
}
