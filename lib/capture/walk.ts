import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { mapBounded, RawcloudError } from '../contract';
import type { Notice } from '../contract';
import { defaultExcludes, gitFacts, isWorkTree } from './git';
import type { GitEnvironment } from './git';
import { IgnoreRules } from './ignore';

export interface WalkOptions extends GitEnvironment {
  /** Absolute, without symlinks. */
  readonly root: string;
  /** Paths relative to the root that travel even when ignored: a file, or a directory with all below it. */
  readonly include?: readonly string[];
  readonly signal?: AbortSignal;
}

/** One entry of the tree. `path` as in lib/contract/tree.ts: UTF-8, or latin1 with `raw`. */
export interface WalkEntry {
  readonly path: string;
  readonly raw?: true;
  readonly type: 'file' | 'link' | 'directory';
  /** Of a link, encoded like the path. */
  readonly target?: string;
  readonly stat: Stats;
}

export interface Walked {
  /** In byte order of their paths. */
  readonly entries: WalkEntry[];
  readonly notices: Notice[];
}

/** Directories read at once. */
const DIRECTORIES_AT_ONCE = 8;

/** How much of a directory travels. */
type Mode = 'by-rules' | 'all' | 'only-forced';

/**
 * Walks the tree that travels: what git would not ignore, less what .rawcloudignore leaves out, plus what the command
 * names. `.git`, Python and conda environments, node_modules and __pycache__ never travel: packages are carried another way.
 * @throws E_USAGE when something cannot be read
 */
export async function walkTree(options: WalkOptions): Promise<Walked> {
  const walk = new Walk(options);
  await walk.run();
  return {
    entries: walk.entries.sort((a, b) => Buffer.compare(encode(a), encode(b))),
    notices: walk.notices(),
  };
}

/** Where an entry lies on disk. */
export function locate(root: string, entry: { readonly path: string; readonly raw?: true }): string | Buffer {
  if (!entry.raw) return path.join(root, entry.path);
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(entry.path, 'latin1')]);
}

function encode(entry: { readonly path: string; readonly raw?: true }): Buffer {
  return Buffer.from(entry.path, entry.raw ? 'latin1' : 'utf8');
}

interface Directory {
  /** '' for the root, else ending with '/'. */
  readonly base: string;
  readonly raw: boolean;
  readonly mode: Mode;
  readonly rules: IgnoreRules;
}

class Walk {
  readonly entries: WalkEntry[] = [];
  readonly #special: string[] = [];
  readonly #outward: string[] = [];
  readonly #forced = new Set<string>();
  readonly #ancestors = new Set<string>(['']);

  constructor(private readonly options: WalkOptions) {
    for (const named of options.include ?? []) this.#force(named.replace(/\/$/, ''));
  }

  async run(): Promise<void> {
    const { root } = this.options;
    const rules = (await isWorkTree(root)) ? await this.#repository('') : await IgnoreRules.load([defaultExcludes(this.options)], false);
    let level: Directory[] = [{ base: '', raw: false, mode: 'by-rules', rules }];
    while (level.length > 0) {
      this.options.signal?.throwIfAborted();
      level = (await mapBounded(level, DIRECTORIES_AT_ONCE, (directory) => this.#directory(directory))).flat();
    }
  }

  notices(): Notice[] {
    const say = (what: readonly string[], text: string): Notice[] =>
      what.length === 0 ? [] : [{ level: 'warning', text: `${text}: ${what.slice(0, 5).join(', ')}${what.length > 5 ? ` and ${what.length - 5} more` : ''}` }];
    return [
      ...say(this.#special, 'left out, for they are neither files nor links nor directories'),
      ...say(this.#outward, 'these links point outside the tree and may lead nowhere on the VM'),
    ];
  }

  #force(relative: string): void {
    if (relative === '') return;
    this.#forced.add(relative);
    for (let at = path.posix.dirname(relative); at !== '.' && at !== '/'; at = path.posix.dirname(at)) this.#ancestors.add(at);
  }

  /** Rules and tracked files of the work tree at `base`. */
  async #repository(base: string): Promise<IgnoreRules> {
    const facts = await gitFacts(path.join(this.options.root, base), this.options);
    for (const tracked of facts.trackedIgnored) this.#force(base + tracked);
    return IgnoreRules.load(facts.excludeFiles, facts.ignoreCase, base);
  }

  async #directory(directory: Directory): Promise<Directory[]> {
    const { base, raw } = directory;
    const here = locate(this.options.root, { path: base, ...(raw ? { raw: true as const } : {}) });
    const names = await this.#names(here, raw);
    if (!names) return [];
    const set = new Set(names.list);
    if (base !== '' && isEnvironment(set)) return [];
    const rules = await this.#rulesIn(directory, set, names.raw);
    // From a name that is no UTF-8 on, the whole path is kept as its bytes.
    const inside = { ...directory, rules, raw: names.raw, base: names.raw && !raw ? Buffer.from(base).toString('latin1') : base };
    const found = names.list.flatMap((name) => this.#entry(inside, name));
    // A directory from which nothing travels is still there for the job to write into.
    if (found.length === 0 && base !== '' && directory.mode !== 'only-forced') this.#addDirectory(directory);
    return found.filter((f) => f !== 'taken');
  }

  async #rulesIn({ base, rules, raw }: Directory, names: ReadonlySet<string>, rawNames: boolean): Promise<IgnoreRules> {
    if (raw || rawNames) return rules;
    const own = base !== '' && names.has('.git') ? rules.withoutGit(await this.#repository(base)) : rules;
    return own.enter(path.join(this.options.root, base), base, names);
  }

  #addDirectory({ base, raw }: Directory): void {
    const entry = { path: base.slice(0, -1), ...(raw ? { raw: true as const } : {}) };
    this.entries.push({ ...entry, type: 'directory', stat: lstatSync(locate(this.options.root, entry)) });
  }

  async #names(here: string | Buffer, raw: boolean): Promise<{ list: string[]; raw: boolean } | undefined> {
    try {
      if (raw) return { list: readdirSync(here, 'latin1'), raw: true };
      const list = await readdir(here, 'utf8');
      // A name that is no UTF-8 comes back with U+FFFD in it, which names nothing on disk.
      return list.some((name) => name.includes('\uFFFD')) ? { list: readdirSync(here, 'latin1'), raw: true } : { list, raw: false };
    } catch (error) {
      return this.#vanished(error, here);
    }
  }

  /** One name in a directory: taken, left out (nothing), or a directory to walk. */
  #entry(directory: Directory, name: string): (Directory | 'taken')[] {
    const entryPath = directory.base + name;
    const entry = { path: entryPath, ...(directory.raw ? { raw: true as const } : {}) };
    if (NEVER.has(name)) return [];
    const stat = this.#lstat(entry);
    if (!stat) return [];
    const isDirectory = stat.isDirectory();
    const forced = this.#forced.has(entryPath);
    const verdict = directory.mode === 'all' || forced ? undefined : directory.mode === 'only-forced' ? 'git' : ignores(directory, entryPath, isDirectory);
    const left = verdict === 'git' || verdict === 'ours';
    if (isDirectory) {
      if (left && !this.#ancestors.has(entryPath)) return [];
      const mode: Mode = left ? 'only-forced' : forced && this.#wasIgnored(directory, entryPath) ? 'all' : directory.mode === 'all' ? 'all' : 'by-rules';
      const rules = verdict === 'brought-back' ? directory.rules.withoutGit(undefined) : directory.rules;
      return [{ base: `${entryPath}/`, raw: directory.raw, mode, rules }];
    }
    return left ? [] : this.#take(entry, stat);
  }

  /** Naming a directory that is not ignored changes nothing about what in it is. */
  #wasIgnored(directory: Directory, relative: string): boolean {
    if (directory.mode === 'only-forced') return true;
    const verdict = ignores(directory, relative, true);
    return verdict === 'git' || verdict === 'ours';
  }

  #take(entry: { path: string; raw?: true }, stat: Stats): 'taken'[] {
    if (stat.isFile()) this.entries.push({ ...entry, type: 'file', stat });
    else if (stat.isSymbolicLink()) this.entries.push({ ...entry, type: 'link', target: this.#target(entry), stat });
    else this.#special.push(entry.path);
    return ['taken'];
  }

  #target(entry: { path: string; raw?: true }): string {
    const target = readlinkSync(locate(this.options.root, entry), entry.raw ? 'latin1' : 'utf8');
    const inTree = path.posix.normalize(path.posix.join(path.posix.dirname(entry.path), target));
    if (path.posix.isAbsolute(target) || inTree.startsWith('..')) this.#outward.push(entry.path);
    return target;
  }

  #lstat(entry: { path: string; raw?: true }): Stats | undefined {
    const at = locate(this.options.root, entry);
    try {
      return lstatSync(at);
    } catch (error) {
      return this.#vanished(error, at);
    }
  }

  /** What went away between listing and looking is not there; anything else is an error. */
  #vanished(error: unknown, at: string | Buffer): undefined {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new RawcloudError('E_USAGE', `cannot read ${at.toString()}: ${code ?? String(error)}`, {
      remedy: 'Make it readable, or leave it out with a line in .rawcloudignore.',
      cause: error,
    });
  }
}

/** Rules are text: a path that is no UTF-8 is compared as far as it is. */
function ignores({ rules, raw }: Directory, entryPath: string, isDirectory: boolean): ReturnType<IgnoreRules['ignores']> {
  return rules.ignores(raw ? Buffer.from(entryPath, 'latin1').toString('utf8') : entryPath, isDirectory);
}

/** Names that never travel, wherever they lie. */
const NEVER: ReadonlySet<string> = new Set(['.git', 'node_modules', '__pycache__']);

/** Python's and conda's mark of an environment. */
function isEnvironment(names: ReadonlySet<string>): boolean {
  return names.has('pyvenv.cfg') || names.has('conda-meta');
}
