import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError } from '../contract';
import type { Notice } from '../contract';

export interface ArgumentsContext {
  readonly cwd: string;
  /** Root of the synchronized tree, absolute, without symlinks. */
  readonly root: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ResolvedArguments {
  /** The command as the VM runs it. */
  readonly argv: string[];
  /** Paths relative to the root that the command names: they travel even when git ignores them. */
  readonly include: string[];
  readonly notices: Notice[];
}

/** Directories that every Linux machine has: paths there mean the VM's own. */
const SYSTEM = ['/bin', '/boot', '/dev', '/etc', '/lib', '/lib32', '/lib64', '/opt', '/proc', '/run', '/sbin', '/sys', '/usr'];
/** Directories that mean the VM's own as such, though what lies in them here is the developer's. */
const PLACES = ['/', '/tmp', '/var', '/var/tmp', '/var/log', '/home', '/mnt', '/srv', '/root'];

/**
 * Rewrites the paths in a command so that they mean on the VM what they mean here.
 * Absolute paths and `..` into the tree become relative to the working directory; a path that exists here and lies
 * outside the tree is an error, unless it is the system's.
 * @throws E_PATH_OUTSIDE naming every such path
 */
export async function resolveArguments(argv: readonly string[], context: ArgumentsContext): Promise<ResolvedArguments> {
  const include = new Set<string>();
  const outside: string[] = [];
  const rewritten: string[] = [];
  for (const [index, word] of argv.entries()) {
    const { prefix, value } = split(word, index);
    const resolved = value === '' ? { text: value } : await resolve(value, index, context);
    if (resolved.include !== undefined) include.add(resolved.include);
    if (resolved.outside) outside.push(value);
    rewritten.push(prefix + resolved.text);
  }
  if (outside.length > 0) throw outsideError(outside, context.root);
  return { argv: rewritten, include: [...include].sort(), notices: [] };
}

/** `--data=/here/x` is a path behind a name; other options are left alone. */
function split(word: string, index: number): { prefix: string; value: string } {
  const option = /^(-[\w-]+=)(.*)$/s.exec(word);
  if (option) return { prefix: option[1]!, value: option[2]! };
  return index > 0 && word.startsWith('-') ? { prefix: word, value: '' } : { prefix: '', value: word };
}

interface Resolved {
  readonly text: string;
  readonly include?: string;
  readonly outside?: boolean;
}

async function resolve(value: string, index: number, context: ArgumentsContext): Promise<Resolved> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return { text: value };
  const program = index === 0 ? environmentProgram(value, context) : undefined;
  if (program !== undefined) return { text: program };
  const absolute = path.resolve(context.cwd, value);
  // A bare program name is looked up on PATH, even when a file of that name lies here.
  if (index === 0 && !value.includes('/')) return { text: value };
  if (!(await exists(absolute))) return { text: value };
  const inTree = path.relative(context.root, absolute);
  if (inTree === '') return { text: relativeTo(context, absolute, value) };
  if (!inTree.startsWith('..') && !path.isAbsolute(inTree)) return { text: relativeTo(context, absolute, value), include: inTree.split(path.sep).join('/') };
  return isSystem(absolute, context) ? { text: value } : { text: value, outside: true };
}

/** Programs of an active virtual environment run by name: the environment travels as packages. */
function environmentProgram(value: string, { cwd, env }: ArgumentsContext): string | undefined {
  if (!value.includes('/')) return undefined;
  const directory = path.dirname(path.resolve(cwd, value));
  const environments = [env['VIRTUAL_ENV'], env['CONDA_PREFIX']].filter((e) => e !== undefined && e !== '');
  return environments.some((e) => path.join(e!, 'bin') === directory) ? path.basename(value) : undefined;
}

/** Relative paths stay as typed; absolute ones are made relative to the working directory. */
function relativeTo({ cwd, root }: ArgumentsContext, absolute: string, typed: string): string {
  const escapes = path.relative(root, path.resolve(cwd)).split(path.sep).filter(Boolean).length < upward(typed);
  if (!path.isAbsolute(typed) && !escapes) return typed;
  const relative = path.relative(cwd, absolute) || '.';
  return typed.endsWith('/') ? `${relative}/` : relative;
}

/** How many directories a relative path climbs before it goes down. */
function upward(typed: string): number {
  return path.isAbsolute(typed) ? 0 : (path.normalize(typed).match(/^(?:\.\.\/?)+/)?.[0].split('/').filter(Boolean).length ?? 0);
}

async function exists(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => undefined)) !== undefined;
}

function isSystem(absolute: string, { home }: ArgumentsContext): boolean {
  const under = (directory: string): boolean => absolute === directory || absolute.startsWith(`${directory}/`);
  return PLACES.includes(absolute) || (SYSTEM.some(under) && !under(home));
}

function outsideError(paths: readonly string[], root: string): RawcloudError {
  return new RawcloudError('E_PATH_OUTSIDE', `${paths.map((p) => `'${p}'`).join(', ')} lies outside the tree that travels, ${root}`, {
    remedy: 'Copy or hard-link it into the tree, or run from a directory that holds both.',
    data: { paths },
  });
}
