import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';
import { mapBounded, RawcloudError } from '../contract';
import type { Notice } from '../contract';
import { isSystemPath } from './system-paths';
import type { Upload } from './uploads';

export interface ArgumentOptions {
  readonly cwd: string;
  readonly root: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What is taken along, and so may lie outside the tree. @default - nothing */
  readonly uploads?: readonly Upload[];
}

export interface ResolvedArguments {
  readonly argv: string[];
  /** What travels even when ignored, relative to the root: paths named in the command, and the working directory. */
  readonly include: string[];
  readonly notices: Notice[];
}

/** What became of one word. */
interface Word {
  readonly text: string;
  readonly include: readonly string[];
  /** The path that cannot be brought along. */
  readonly outside?: string;
  readonly notice?: string;
}

/** Words looked at together. */
const CONCURRENCY = 16;

/** Longer than any path. */
const MAX_PATH = 4096;

/** Programs that the package layers give the VM under their bare name, wherever they lie here. */
const CARRIED = /^(python|pip)[\d.]*$|^(node|npm|npx|pnpm|pnpx|yarn|yarnpkg|bun|bunx|uv|uvx)$/;

/**
 * Makes a command mean the same in the synchronized tree on the VM: paths into the tree become relative to the working
 * directory, programs of the active environment become their bare names. The rules stand in docs/files.md.
 * @throws E_PATH_OUTSIDE naming every path that is here, but not in the tree
 */
export async function resolveArguments(argv: readonly string[], options: ArgumentOptions): Promise<ResolvedArguments> {
  const scope = await Scope.of(options);
  const words = await mapBounded(argv, CONCURRENCY, (word, index) => (index === 0 ? scope.program(word) : scope.word(word)));
  const outside = words.flatMap((word) => word.outside ?? []);
  if (outside.length > 0) throw outsideError(outside, options.root);
  const cwd = path.relative(options.root, options.cwd);
  const include = [...words.flatMap((word) => word.include), ...(cwd === '' ? [] : [cwd])];
  return {
    argv: words.map((word) => word.text),
    include: [...new Set(include)],
    notices: words.flatMap(({ notice }) => (notice === undefined ? [] : [{ level: 'info' as const, text: notice }])),
  };
}

function outsideError(paths: readonly string[], root: string): RawcloudError {
  const named = paths.length === 1 ? `${paths[0]} in the command lies` : `these paths in the command lie`;
  const list = paths.length === 1 ? '' : `: ${paths.join(', ')}`;
  return new RawcloudError('E_PATH_OUTSIDE', `${named} outside the synchronized tree ${root}${list}`, {
    remedy:
      'Take it along with --upload PATH (it is then in the working directory of the job), or run the command from a directory above both. ' +
      "When the VM's own path is meant, put the command into a shell: rawcloud run sh -c '…'.",
    data: { paths, root },
  });
}

class Scope {
  private constructor(
    private readonly options: ArgumentOptions,
    private readonly realRoot: string,
    /** `bin` directories of the active environments. */
    private readonly bins: readonly string[],
  ) {}

  static async of(options: ArgumentOptions): Promise<Scope> {
    const active = [options.env['VIRTUAL_ENV'], options.env['CONDA_PREFIX']].filter((prefix) => prefix !== undefined && prefix !== '');
    return new Scope(
      options,
      await realpath(options.root),
      active.map((prefix) => path.resolve(options.cwd, prefix!, 'bin')),
    );
  }

  async program(word: string): Promise<Word> {
    // Looked up on PATH, not here.
    if (!word.includes('/')) return plain(word);
    const absolute = path.resolve(this.options.cwd, word);
    if (this.bins.includes(path.dirname(absolute)) && (await isThere(absolute))) return plain(path.basename(word));
    const carried = CARRIED.test(path.basename(word)) && !this.#inTree(absolute) && !this.#isSystem(absolute) && (await isThere(absolute));
    if (!carried) return this.word(word);
    return { ...plain(path.basename(word)), notice: `${word} is run as ${path.basename(word)}: the VM has its own` };
  }

  async word(word: string): Promise<Word> {
    const option = /^(--[^=\s]+=)(.*)$/s.exec(word);
    if (option) {
      const value = await this.#path(option[2]!);
      return { ...value, text: option[1]! + value.text };
    }
    return word.startsWith('-') ? plain(word) : this.#path(word);
  }

  async #path(word: string): Promise<Word> {
    if (word === '' || word.includes('\0') || /^[a-z][a-z\d+.-]*:\/\//i.test(word)) return plain(word);
    const absolute = path.resolve(this.options.cwd, word.replace(/^~(?=\/|$)/, this.options.home));
    if (word.length <= MAX_PATH && (await isThere(absolute))) return this.#existing(word, absolute);
    // Where a result is to be written.
    if (this.#inTree(absolute) && path.isAbsolute(word)) return plain(this.#relative(word, absolute));
    return /\s/.test(word) ? { ...plain(word), include: await this.#pathsInText(word) } : plain(word);
  }

  async #existing(word: string, absolute: string): Promise<Word> {
    const uploaded = this.#uploaded(absolute);
    if (uploaded !== undefined) return plain(word.endsWith('/') ? `${uploaded}/` : uploaded);
    if (!this.#inTree(absolute)) return this.#foreign(word, absolute);
    const include = [this.#inside(absolute)];
    const real = await realpath(absolute).catch(() => absolute);
    if (!isWithin(real, this.realRoot)) {
      // The VM has its own system, and environments are made again there, with the links in them.
      if (this.#isSystem(real) || (await this.#inEnvironment(absolute))) return { text: this.#relative(word, absolute), include };
      return { ...plain(word), outside: `${word} (a link to ${real})` };
    }
    const target = path.relative(this.realRoot, real);
    return { text: this.#relative(word, absolute), include: [...new Set([...include, target])].filter((found) => found !== '') };
  }

  /** Where something that travels from elsewhere is, relative to the working directory. */
  #uploaded(absolute: string): string | undefined {
    for (const { absolute: typed, source, at, isInPlace } of this.options.uploads ?? []) {
      const from = [typed, source].find((directory) => isWithin(absolute, directory));
      // What is in the tree is found there, too.
      if (from === undefined || (this.#inTree(absolute) && !(isInPlace && !isWithin(source, this.realRoot)))) continue;
      const place = path.join('/', Buffer.from(at, 'latin1').toString(), path.relative(from, absolute));
      return path.relative(`/${path.relative(this.options.root, this.options.cwd)}`, place) || '.';
    }
    return undefined;
  }

  #foreign(word: string, absolute: string): Word {
    if (this.bins.includes(path.dirname(absolute))) return plain(path.basename(absolute));
    return this.#isSystem(absolute) ? plain(word) : { ...plain(word), outside: word };
  }

  async #inEnvironment(absolute: string): Promise<boolean> {
    const parts = this.#inside(absolute).split('/');
    if (parts.includes('node_modules')) return true;
    const above = parts.slice(1).map((_part, index) => path.join(this.options.root, ...parts.slice(0, index + 1)));
    const marks = above.flatMap((directory) => [path.join(directory, 'pyvenv.cfg'), path.join(directory, 'conda-meta')]);
    return (await mapBounded(marks, CONCURRENCY, isThere)).includes(true);
  }

  /** Words of a shell's text: nothing is rewritten in it, but what it names travels. */
  async #pathsInText(text: string): Promise<string[]> {
    const words = [...new Set(text.split(/[\s;&|()<>"'`=]+/))].filter(
      (word) => word !== '' && !word.startsWith('-') && word.length <= MAX_PATH,
    );
    const paths = words.map((word) => path.resolve(this.options.cwd, word)).filter((absolute) => this.#inTree(absolute));
    const found = await mapBounded(paths, CONCURRENCY, async (absolute) => ((await isThere(absolute)) ? this.#inside(absolute) : ''));
    return found.filter((inside) => inside !== '');
  }

  /** Some machines have homes in /usr or /opt. */
  #isSystem(absolute: string): boolean {
    return isSystemPath(absolute) && !isWithin(absolute, this.options.home);
  }

  #inTree(absolute: string): boolean {
    return isWithin(absolute, this.options.root) || isWithin(absolute, this.realRoot);
  }

  #inside(absolute: string): string {
    return path.relative(isWithin(absolute, this.options.root) ? this.options.root : this.realRoot, absolute);
  }

  /** As typed where that works on the VM, too. */
  #relative(word: string, absolute: string): string {
    const stays =
      !path.isAbsolute(word) && !word.startsWith('~/') && isWithin(path.resolve(this.options.cwd, firstSteps(word)), this.options.root);
    if (stays) return word;
    const relative = path.relative(`/${path.relative(this.options.root, this.options.cwd)}`, `/${this.#inside(absolute)}`) || '.';
    return word.endsWith('/') ? `${relative}/` : relative;
  }
}

/** The `../..` that a path begins with. */
function firstSteps(word: string): string {
  return /^(?:\.{1,2}\/+)*(?:\.\.)?/.exec(word)![0] || '.';
}

function plain(text: string): Word {
  return { text, include: [] };
}

function isWithin(file: string, directory: string): boolean {
  return file === directory || file.startsWith(`${directory}/`);
}

async function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    // A name that is too long is no file.
    () => false,
  );
}
