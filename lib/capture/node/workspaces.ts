import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { isFile } from '../executables';

/**
 * Directories with a package.json that workspace globs name, relative to the project and sorted; without the project itself.
 * `*` stands for one name or a part of one, `**` for any number of directories, `!` takes out again. Sources: npm documentation
 * "workspaces", pnpm.io "pnpm-workspace.yaml".
 */
export async function expandWorkspaces(project: string, globs: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const glob of globs) {
    const negated = glob.startsWith('!');
    const segments = segmentsOf(negated ? glob.slice(1) : glob);
    if (negated) for (const at of [...found]) if (fits(at.split('/'), segments)) found.delete(at);
    if (!negated) for (const at of await expand(project, '', segments)) found.add(at);
  }
  found.delete('');
  return [...found].sort();
}

function segmentsOf(glob: string): string[] {
  return glob.split('/').filter((segment) => segment !== '' && segment !== '.');
}

async function expand(project: string, at: string, [first, ...rest]: readonly string[]): Promise<string[]> {
  if (first === undefined) return (await isFile(path.join(project, at, 'package.json'))) ? [at] : [];
  if (first === '..') return expand(project, path.posix.join(at, '..'), rest);
  const found: string[] = first === '**' ? await expand(project, at, rest) : [];
  const following = first === '**' ? ['**', ...rest] : rest;
  for (const name of await directoriesIn(path.join(project, at), first === '**' ? '*' : first))
    found.push(...(await expand(project, path.posix.join(at, name), following)));
  return found;
}

async function directoriesIn(directory: string, pattern: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const matches = patternOf(pattern);
  return entries
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && entry.name !== 'node_modules' && entry.name !== '.git')
    .map(({ name }) => name)
    .filter((name) => name === pattern || (matches.test(name) && !name.startsWith('.')));
}

function fits([name, ...names]: readonly string[], [segment, ...segments]: readonly string[]): boolean {
  if (segment === undefined) return name === undefined;
  if (segment === '**' && fits(name === undefined ? [] : [name, ...names], segments)) return true;
  if (name === undefined) return false;
  if (segment === '**') return fits(names, [segment, ...segments]);
  return patternOf(segment).test(name) && fits(names, segments);
}

/** `a*`, `{a,b}`, `?` */
function patternOf(segment: string): RegExp {
  const source = segment
    .replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '[^/]*')
    .replace(/\?/g, '[^/]')
    .replace(/\{([^{}]*)\}/g, (_all, choices: string) => `(?:${choices.split(',').join('|')})`)
    .replace(/[{}]/g, '\\$&');
  return new RegExp(`^${source}$`);
}
