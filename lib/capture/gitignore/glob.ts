import { readClass } from './character-class';

/** Nothing matches it. */
const NEVER = '(?!)';
const ANYTHING = '[^]*';
const WITHIN_NAME = '[^/]*';

export interface GlobOptions {
  /** ASCII letters match in either case. */
  readonly ignoreCase: boolean;
}

/**
 * What git's wildmatch (with WM_PATHNAME) matches, as a regular expression over strings of bytes; checked against git itself
 * by test/capture/gitignore.test.ts. Git compares what precedes the first special character by itself, and matches the
 * rest as if a name began there: so `a**` `/b` finds what is deeper, too, unlike `?a**` `/b`.
 */
export function compileGlob(glob: string, options: GlobOptions): RegExp {
  const special = glob.search(/[*?[\\]/);
  const literal = special < 0 ? glob : glob.slice(0, special);
  let source = [...literal].map((character) => literalSource(character, options)).join('');
  for (let at = literal.length; at < glob.length;) {
    const part = partAt(glob, at, literal.length, options);
    source += part.source;
    at = part.end;
  }
  return new RegExp(`^${source}$`);
}

interface Part {
  readonly source: string;
  readonly end: number;
}

function partAt(glob: string, at: number, start: number, options: GlobOptions): Part {
  switch (glob[at]) {
    case '*':
      return starsAt(glob, at, start);
    case '?':
      return { source: '[^/]', end: at + 1 };
    case '[':
      return readClass(glob, at, options.ignoreCase) ?? { source: NEVER, end: glob.length };
    case '\\':
      return { source: escapedSource(glob[at + 1], options), end: at + 2 };
    default:
      return { source: literalSource(glob[at]!, options), end: at + 1 };
  }
}

/** Two stars that are a whole part of a path match any number of parts; others stay within one. */
function starsAt(glob: string, at: number, start: number): Part {
  let end = at;
  while (glob[end] === '*') end++;
  const wholePart = (at === start || glob[at - 1] === '/') && /^($|\/|\\\/)/.test(glob.slice(end));
  if (end - at === 1 || !wholePart) return { source: WITHIN_NAME, end };
  return glob[end] === '/' ? { source: `(?:${ANYTHING}/)?`, end: end + 1 } : { source: ANYTHING, end };
}

function literalSource(character: string, { ignoreCase }: GlobOptions): string {
  if (ignoreCase && /[a-z]/i.test(character)) return `[${character.toLowerCase()}${character.toUpperCase()}]`;
  return character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

/** Git lowers the name but not what a backslash quotes. */
function escapedSource(character: string | undefined, options: GlobOptions): string {
  if (character === undefined || (options.ignoreCase && /[A-Z]/.test(character))) return NEVER;
  return literalSource(character, options);
}
