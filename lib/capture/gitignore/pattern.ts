import type { BytePath } from '../../contract';
import { compileGlob } from './glob';
import type { GlobOptions } from './glob';

/** One line of an ignore file. Paths and patterns are strings of bytes, as git matches them. */
export interface Pattern {
  /** It takes back what an earlier one ignored. */
  readonly negated: boolean;
  readonly directoriesOnly: boolean;
  /** Which names it can match at all. */
  readonly names: Names;
  /** `path` is below the directory of the ignore file, whose name is `name`. */
  readonly matches: (path: BytePath, name: string) => boolean;
}

/** One name, those that end in something, or any. */
export type Names = { readonly only: string } | { readonly endIn: string } | 'any';

/** Patterns of an ignore file that lies in `base`, the first line first. */
export function parsePatterns(text: string, base: BytePath, options: GlobOptions): Pattern[] {
  // A byte order mark as latin1.
  const lines = text.replace(/^\xef\xbb\xbf/, '').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => trimEnd(line.replace(/\r$/, '')))
    .map((line) => parse(line, base === '' ? 0 : base.length + 1, options));
}

/** Spaces at the end do not count unless quoted by a backslash. */
function trimEnd(line: string): string {
  return /^((?:\\.|[^\\])*?) *$/s.exec(line)?.[1] ?? line;
}

function parse(line: string, baseLength: number, options: GlobOptions): Pattern {
  const negated = line.startsWith('!');
  const marked = negated ? line.slice(1) : line;
  const directoriesOnly = marked.endsWith('/');
  const glob = directoriesOnly ? marked.slice(0, -1) : marked;
  const names = namesOf(glob, options);
  if (!glob.includes('/')) return { negated, directoriesOnly, names, matches: nameMatcher(glob, names, options) };
  const { source } = compileGlob(glob.replace(/^\//, ''), options);
  const expression = new RegExp(source);
  return { negated, directoriesOnly, names, matches: (path) => expression.test(baseLength === 0 ? path : path.slice(baseLength)) };
}

/** By the last part of the glob, unless what precedes it can reach into the name: classes, quoting, `a**` `/b`. */
function namesOf(glob: string, { ignoreCase }: GlobOptions): Names {
  if (ignoreCase || /[[\\]|[^/]\*\*/.test(glob)) return 'any';
  const last = glob.slice(glob.lastIndexOf('/') + 1);
  if (!/[*?]/.test(last)) return { only: last };
  return /^\*[^*?]+$/.test(last) ? { endIn: last.slice(1) } : 'any';
}

/** Most patterns are a name or `*.ext`: those need no regular expression. */
function nameMatcher(glob: string, names: Names, options: GlobOptions): Pattern['matches'] {
  if (names !== 'any') return 'only' in names ? (_path, name) => name === names.only : (_path, name) => name.endsWith(names.endIn);
  const expression = compileGlob(glob, options);
  return (_path, name) => expression.test(name);
}
