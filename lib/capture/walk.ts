import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fsPath, hasCode, RawcloudError, STAGING_PREFIX } from '../contract';
import type { BytePath, Notice } from '../contract';
import { listDirectory, unreadable } from './directory';
import type { DirectoryEntry } from './directory';
import { WalkEntries } from './entries';
import { readText } from './git/directories';
import { GitKnowledge } from './git/facts';
import { Tracked } from './git/tracked';
import { IgnoreRules } from './ignore';
import { pointsOutside, relocate } from './links';
import { Named } from './named';
import { Remarks } from './remarks';
import type { Upload } from './uploads';

export interface Walked {
  /** In byte order of their paths. */
  readonly entries: WalkEntries;
  readonly notices: readonly Notice[];
}

export interface WalkOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Paths named in the command, relative to the root: they travel even when ignored. @default - none */
  readonly include?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Finds what of a tree travels: git's own rules, .rawcloudignore, and what the command names. The rules stand in
 * docs/files.md. Reads no file but the rules; what vanishes on the way is left out.
 * @throws E_USAGE when a directory cannot be read
 */
export async function walkTree(root: string, options: WalkOptions): Promise<Walked> {
  const realRoot = await realpath(root);
  const git = new GitKnowledge(options);
  for (;;) {
    const walk = new Walk(root, realRoot, options, git).run();
    // What was asked of git is waited for, also when the walk fails.
    const [walked] = await Promise.allSettled([walk]);
    const right = await git.areRight();
    if (walked.status === 'rejected') throw walked.reason;
    if (right) return walked.value;
  }
}

/**
 * Finds all that is in an upload, whatever the ignore rules say: but .git and environments of packages, and what is no file. Of a
 * file, the entry has the path ''.
 * @throws E_USAGE when a directory cannot be read, or nothing of it can travel
 */
export async function walkWhole({ typed, source, isDirectory }: Upload, options: WalkOptions): Promise<Walked> {
  if (!isDirectory) return { entries: entryOf(source), notices: [] };
  if (isEnvironment(listDirectory(source, '') ?? [])) {
    throw new RawcloudError('E_USAGE', `cannot take '${typed}' along: it is an environment of packages, made for this machine`, {
      remedy: 'Its packages travel by themselves when the command needs them: rawcloud env show -- command …',
    });
  }
  const { entries, notices } = await new Walk(source, source, options, new GitKnowledge(options)).run('all');
  if (entries.length === 0) entries.pushDirectory('');
  return { entries, notices: notices.map((notice) => ({ ...notice, text: `in ${typed}: ${notice.text}` })) };
}

function entryOf(file: string): WalkEntries {
  const entries = new WalkEntries();
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats?.isFile()) entries.pushFile('', stats);
  return entries;
}

interface Directory {
  readonly path: BytePath;
  readonly rules: IgnoreRules;
  /**
   * 'whole': named in the command, so that its own rules do not count. 'way': ignored, but something below it travels. 'all': of an
   * upload, so that no rule counts.
   */
  readonly mode: 'ruled' | 'whole' | 'way' | 'all';
  /** It is ignored by .rawcloudignore, and so is all below it: tracked or not. */
  readonly own: boolean;
}

type Fate = Pick<Directory, 'mode' | 'own'>;

const RULED: Fate = { mode: 'ruled', own: false };
const WHOLE: Fate = { mode: 'whole', own: false };

/** Entries between two looks at the event loop: calls to the file system are synchronous, four times faster than the others. */
const TURN = 500;

const BUILTIN = IgnoreRules.builtin();

/** Goes through a tree in byte order of its paths. */
class Walk {
  readonly #entries = new WalkEntries();
  readonly #tracked = new Tracked();
  readonly #named: Named;
  readonly #remarks = new Remarks();
  #seen = 0;
  /** Directories that are entries. */
  readonly #empty = new Set<BytePath>();

  constructor(
    private readonly root: string,
    private readonly realRoot: string,
    private readonly options: WalkOptions,
    private readonly git: GitKnowledge,
  ) {
    this.#named = Named.fromCommand(options.include ?? []);
  }

  async run(mode: 'ruled' | 'all' = 'ruled'): Promise<Walked> {
    this.options.signal?.throwIfAborted();
    await this.#visit({ path: '', rules: BUILTIN, mode, own: false });
    // As an entry, a directory comes before `name-x`, but what is in it comes after that.
    const entries = this.#empty.size > 0 ? this.#entries.sorted() : this.#entries;
    this.#remarkEmptyNamed();
    return { entries, notices: this.#remarks.notices() };
  }

  async #visit(directory: Directory): Promise<void> {
    const found = listDirectory(this.root, directory.path);
    if (!found) return;
    if (directory.path !== '' && isEnvironment(found)) {
      if (directory.mode === 'all') this.#remarks.environments.push(directory.path);
      return;
    }
    // Where everything is ignored, or nothing, rules from here on change nothing.
    const rules = directory.mode === 'ruled' ? await this.#rulesIn(directory, found) : directory.rules;
    const here = { ...directory, rules };
    const before = this.#entries.length;
    for (const dirent of found) {
      if (++this.#seen % TURN === 0) await this.#turn();
      const below = this.#take(here, dirent);
      if (below) await this.#visit(below);
    }
    // A program may count on a directory all of whose files are ignored, as one for its results.
    if (this.#entries.length > before || directory.path === '' || directory.mode === 'way') return;
    this.#entries.pushDirectory(directory.path);
    this.#empty.add(directory.path);
  }

  async #turn(): Promise<void> {
    await nextTurn();
    this.options.signal?.throwIfAborted();
  }

  async #rulesIn({ path, rules }: Directory, found: readonly DirectoryEntry[]): Promise<IgnoreRules> {
    const named = (name: string): DirectoryEntry | undefined => found.find((dirent) => dirent.name === name);
    const read = (name: string): string => readText(fsPath(this.root, join(path, name)), 'latin1');
    let result = rules;
    const dotGit = named('.git');
    if (dotGit && this.#isRepository(path, dotGit)) result = await this.#enterRepository(path, result);
    // Like git, no links: an unreadable one is met again when it is to travel.
    if (named('.gitignore')?.isFile()) result = result.withGitignore(path, read('.gitignore'));
    if (named('.rawcloudignore')?.isFile()) result = result.withRawcloudignore(path, read('.rawcloudignore'));
    return result;
  }

  /** `.git` is a file in submodules and further work trees; a directory without HEAD is no repository. */
  #isRepository(path: BytePath, dotGit: DirectoryEntry): boolean {
    return dotGit.isFile() || (dotGit.isDirectory() && existsSync(fsPath(this.root, join(path, '.git/HEAD'))));
  }

  async #enterRepository(path: BytePath, rules: IgnoreRules): Promise<IgnoreRules> {
    const workTree = fsPath(this.root, path);
    // A program cannot be started in a directory whose name is no text: its tracked files count as any others.
    if (typeof workTree !== 'string') return rules.inRepository(path, [], false);
    const facts = await this.git.factsOf(workTree);
    this.#tracked.add(path, facts.tracked);
    this.#remarks.add(...facts.notices);
    return rules.inRepository(path, facts.excludes, facts.ignoreCase);
  }

  /** @returns the directory to visit, when it is one */
  #take(parent: Directory, dirent: DirectoryEntry): Directory | undefined {
    if (dirent.name === '.git' || dirent.name.startsWith(STAGING_PREFIX)) return undefined;
    const path = join(parent.path, dirent.name);
    const isDirectory = dirent.isDirectory();
    const fate = this.#fateOf(parent, path, dirent.name, isDirectory);
    if (!fate) return undefined;
    if (isDirectory) return { path, rules: parent.rules, ...fate };
    if (fate.mode === 'way') return undefined;
    if (dirent.isSymbolicLink()) this.#takeLink(path);
    else if (dirent.isFile()) this.#takeFile(path);
    else this.#remarks.special.push(path);
    return undefined;
  }

  #fateOf(parent: Directory, path: BytePath, name: string, isDirectory: boolean): Fate | undefined {
    const { mode, rules } = parent;
    if (mode === 'all') return { mode, own: false };
    if (mode === 'whole') return BUILTIN.ignores(path, name, isDirectory) ? undefined : WHOLE;
    if (mode === 'ruled' && !rules.ignores(path, name, isDirectory)) return RULED;
    if (this.#named.has(path)) {
      this.#remarks.named.push(path);
      return WHOLE;
    }
    const own = parent.own || rules.ignoredByOwn(path, name, isDirectory);
    if (!own && this.#tracked.has(path)) return RULED;
    const leads = this.#named.leadsTo(path) || (!own && this.#tracked.leadsTo(path));
    return isDirectory && leads ? { mode: 'way', own } : undefined;
  }

  #takeFile(path: BytePath): void {
    const stats = lstatSync(fsPath(this.root, path), { throwIfNoEntry: false });
    if (stats?.isFile()) this.#entries.pushFile(path, stats);
  }

  #takeLink(path: BytePath): void {
    try {
      const target = relocate(path, readlinkSync(fsPath(this.root, path), 'buffer').toString('latin1'), [this.root, this.realRoot]);
      if (pointsOutside(path, target)) this.#remarks.outside.push(path);
      this.#entries.pushLink(path, target);
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'EINVAL')) throw unreadable(path, error);
    }
  }

  #remarkEmptyNamed(): void {
    for (const path of this.#named.paths) {
      if (this.#empty.has(path) && (listDirectory(this.root, path)?.length ?? 0) > 0) this.#remarks.hollow.push(path);
    }
  }
}

/** A Python or conda environment: what is in it is made for this machine, and travels as a list of packages. */
function isEnvironment(found: readonly DirectoryEntry[]): boolean {
  return found.some(({ name }) => name === 'pyvenv.cfg' || name === 'conda-meta');
}

function join(directory: BytePath, name: string): BytePath {
  return directory === '' ? name : `${directory}/${name}`;
}
