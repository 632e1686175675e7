import type { BytePath } from '../../contract';
import { compileGlob } from './glob';
import type { GlobOptions } from './glob';

/** One line of an ignore file. Paths and patterns are strings of bytes, as git matches them. */
export interface Pattern {
  /** It takes back what an earlier one ignored. */
  readonly negated: boolean;
  readonly directoriesOnly: boolean;
  /** `path` is below the directory of the ignore file, whose name is `name`. */
  readonly matches: (path: BytePath, name: string) => boolean;
}

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
  if (!glob.includes('/')) return { negated, directoriesOnly, matches: nameMatcher(glob, options) };
  const { source } = compileGlob(glob.replace(/^\//, ''), options);
  const expression = new RegExp(source);
  return { negated, directoriesOnly, matches: (path) => expression.test(baseLength === 0 ? path : path.slice(baseLength)) };
}

/** Most patterns are a name or `*.ext`: those need no regular expression. */
function nameMatcher(glob: string, options: GlobOptions): Pattern['matches'] {
  if (!options.ignoreCase && !/[*?[\\]/.test(glob)) return (_path, name) => name === glob;
  if (!options.ignoreCase && /^\*[^*?[\\]*$/.test(glob)) return (_path, name) => name.endsWith(glob.slice(1));
  const expression = compileGlob(glob, options);
  return (_path, name) => expression.test(name);
}
