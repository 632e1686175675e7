import type { BytePath } from '../contract';
import { NameFilter } from './gitignore/name-filter';
import { parsePatterns } from './gitignore/pattern';
import type { Pattern } from './gitignore/pattern';

/**
 * Left out everywhere unless a rule of the user says otherwise (`!node_modules/` in .rawcloudignore): packages travel by
 * another way, the rest is made again or belongs to a version control system.
 */
export const BUILTIN_PATTERNS: readonly string[] = ['node_modules/', '__pycache__/', '.DS_Store', '.hg/', '.svn/'];

interface Lists {
  readonly builtin: readonly Pattern[];
  readonly git: readonly Pattern[];
  readonly own: readonly Pattern[];
}

/**
 * The rules that hold in one directory. Later lists win over earlier ones, within a list the last match: what is built in,
 * git's (global file, info/exclude, .gitignore from the root down), .rawcloudignore from the root down.
 * They tell of a path by itself: below a directory that is ignored nothing is to be asked. Immutable: a directory with rules
 * of its own gets a new one.
 */
export class IgnoreRules {
  readonly #filter: NameFilter;

  private constructor(
    private readonly lists: Lists,
    private readonly ignoreCase: boolean,
  ) {
    this.#filter = new NameFilter([...lists.builtin, ...lists.git, ...lists.own]);
  }

  static builtin(): IgnoreRules {
    const builtin = parsePatterns(BUILTIN_PATTERNS.join('\n'), '', { ignoreCase: false });
    return new IgnoreRules({ builtin, git: [], own: [] }, false);
  }

  /** A repository begins here: rules of git from further up end, those of .rawcloudignore go on. */
  inRepository(base: BytePath, texts: readonly string[], ignoreCase: boolean): IgnoreRules {
    const git = texts.flatMap((text) => parsePatterns(text, base, { ignoreCase }));
    return new IgnoreRules({ ...this.lists, git }, ignoreCase);
  }

  withGitignore(base: BytePath, text: string): IgnoreRules {
    return this.#with('git', base, text);
  }

  withRawcloudignore(base: BytePath, text: string): IgnoreRules {
    return this.#with('own', base, text);
  }

  /** `name`: the last part of `path`. */
  ignores(path: BytePath, name: string, isDirectory: boolean): boolean {
    if (!this.#filter.mayMatch(name)) return false;
    const { builtin, git, own } = this.lists;
    const judge = (list: readonly Pattern[]): boolean | undefined => verdict(list, path, name, isDirectory);
    return judge(own) ?? judge(git) ?? judge(builtin) ?? false;
  }

  /** Whether .rawcloudignore alone leaves it out: that holds for files that git tracks, too. */
  ignoredByOwn(path: BytePath, name: string, isDirectory: boolean): boolean {
    return verdict(this.lists.own, path, name, isDirectory) ?? false;
  }

  #with(list: keyof Lists, base: BytePath, text: string): IgnoreRules {
    const patterns = parsePatterns(text, base, { ignoreCase: this.ignoreCase });
    return new IgnoreRules({ ...this.lists, [list]: [...this.lists[list], ...patterns] }, this.ignoreCase);
  }
}

/** What the last pattern that matches says. */
function verdict(patterns: readonly Pattern[], path: BytePath, name: string, isDirectory: boolean): boolean | undefined {
  for (let at = patterns.length - 1; at >= 0; at--) {
    const { negated, directoriesOnly, matches } = patterns[at]!;
    if ((isDirectory || !directoriesOnly) && matches(path, name)) return !negated;
  }
  return undefined;
}
