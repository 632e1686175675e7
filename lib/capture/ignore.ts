import ignore from 'ignore';
import type { BytePath } from '../contract';

/**
 * Left out everywhere unless a rule of the user says otherwise (`!node_modules/` in .rawcloudignore): packages travel by
 * another way, the rest is made again or belongs to a version control system.
 */
export const BUILTIN_PATTERNS: readonly string[] = ['node_modules/', '__pycache__/', '.DS_Store', '.hg/', '.svn/'];

interface Lists {
  readonly builtin: ignore.Ignore;
  readonly git: ignore.Ignore;
  readonly own: ignore.Ignore;
}

/**
 * The rules that hold in one directory. Later lists win over earlier ones, within a list the last match: what is built in,
 * git's (global file, info/exclude, .gitignore from the root down), .rawcloudignore from the root down.
 * Paths and patterns are strings of bytes, as git matches them. Immutable: a directory with rules of its own gets a new one.
 */
export class IgnoreRules {
  readonly #lists: Lists;
  readonly #all: ignore.Ignore;
  readonly #ignoreCase: boolean;

  private constructor(lists: Lists, ignoreCase: boolean) {
    this.#lists = lists;
    this.#ignoreCase = ignoreCase;
    this.#all = this.#list(lists.builtin, lists.git, lists.own);
  }

  static builtin(): IgnoreRules {
    const empty = (): ignore.Ignore => ignore({ ignoreCase: false });
    return new IgnoreRules({ builtin: empty().add(BUILTIN_PATTERNS), git: empty(), own: empty() }, false);
  }

  /** A repository begins here: rules of git from further up end, those of .rawcloudignore go on. */
  inRepository(base: BytePath, texts: readonly string[], ignoreCase: boolean): IgnoreRules {
    const git = ignore({ ignoreCase }).add(texts.flatMap((text) => patternsOf(text, base)));
    return new IgnoreRules({ ...this.#lists, git }, ignoreCase);
  }

  withGitignore(base: BytePath, text: string): IgnoreRules {
    return new IgnoreRules({ ...this.#lists, git: this.#list(this.#lists.git, patternsOf(text, base)) }, this.#ignoreCase);
  }

  withRawcloudignore(base: BytePath, text: string): IgnoreRules {
    return new IgnoreRules({ ...this.#lists, own: this.#list(this.#lists.own, patternsOf(text, base)) }, this.#ignoreCase);
  }

  ignores(path: BytePath, isDirectory: boolean): boolean {
    return this.#all.ignores(isDirectory ? `${path}/` : path);
  }

  /** Whether .rawcloudignore alone leaves it out: that holds for files that git tracks, too. */
  ignoredByOwn(path: BytePath, isDirectory: boolean): boolean {
    return this.#lists.own.ignores(isDirectory ? `${path}/` : path);
  }

  #list(...parts: (ignore.Ignore | string[])[]): ignore.Ignore {
    const list = ignore({ ignoreCase: this.#ignoreCase });
    for (const part of parts) list.add(part);
    return list;
  }
}

/** Patterns of an ignore file in `base`, rewritten so that they mean the same from the root. */
export function patternsOf(text: string, base: BytePath): string[] {
  // A byte order mark as latin1.
  const lines = text.replace(/^\xef\xbb\xbf/, '').split(/\r?\n/);
  const patterns = lines.filter((line) => line !== '' && !line.startsWith('#')).map(trimEnd);
  return base === '' ? patterns : patterns.flatMap((pattern) => rebase(pattern, base));
}

/** Spaces at the end do not count unless quoted by a backslash. */
function trimEnd(line: string): string {
  return /^((?:\\.|[^\\])*?) *$/s.exec(line)?.[1] ?? line;
}

function rebase(pattern: string, base: BytePath): string[] {
  const negated = pattern.startsWith('!');
  const body = negated ? pattern.slice(1) : pattern;
  if (/^\/*$/.test(body)) return [];
  const anchored = body.slice(0, -1).includes('/');
  const prefix = `${negated ? '!' : ''}/${escape(base)}/`;
  return [anchored ? prefix + body.replace(/^\//, '') : `${prefix}**/${body}`];
}

function escape(path: BytePath): string {
  return path.replace(/[\\*?[]/g, '\\$&');
}
