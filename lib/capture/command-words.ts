import path from 'node:path';

/** What is looked at of a command line: a glob may have made it thousands of words long. */
const MAX_WORDS = 256;

const SHELLS = new Set(['sh', 'bash', 'zsh', 'dash', 'ksh', 'fish']);

/** Programs that run the program named after them. */
const WRAPPERS = new Set([
  'env',
  'time',
  'nice',
  'nohup',
  'timeout',
  'stdbuf',
  'exec',
  'command',
  'setsid',
  'ionice',
  'taskset',
  'numactl',
  'sudo',
  'xargs',
]);

/** Shell words before which a command may stand. */
const KEYWORDS = new Set(['if', 'then', 'elif', 'else', 'while', 'until', 'do', '!', '{', '}', 'fi', 'done', 'esac']);

const RECIPE_RUNNERS = new Set(['make', 'gmake', 'just', 'task', 'ninja', 'snakemake', 'nextflow', '.', 'source', 'eval']);

/** Programs that never run another: whatever file they are given is data to them. */
const PLAIN_TOOLS = new Set(
  (
    'true false : echo printf test [ sleep cat head tail wc ls cp mv rm mkdir rmdir touch ln grep sed awk cut sort uniq tr diff cmp tar gzip gunzip ' +
    'zip unzip du df date pwd cd export set unset exit return wait read hostname whoami id uname nproc free ps kill md5sum sha256sum base64 tee seq'
  ).split(' '),
);

/** One program and what it is given. */
export interface SimpleCommand {
  /** As typed, wrappers like `env` and `time` left out. */
  readonly program: string;
  /** All words, wrappers included. */
  readonly words: readonly string[];
}

/**
 * The programs that a command line is seen to start: itself, and those in the text after a shell's `-c`.
 * Plain tools are left out. This is no shell parser: it may see a word too many, and what it cannot see
 * (variables, files that are sourced) counts as a shell that may run anything.
 */
export function simpleCommands(argv: readonly string[]): SimpleCommand[] {
  const words = argv.slice(0, MAX_WORDS);
  const at = programAt(words);
  const program = words[at];
  if (program === undefined || isPlain(program)) return [];
  const text = isShell(program) ? shellText(words.slice(at + 1)) : undefined;
  return text === undefined ? [{ program, words }] : splitText(text);
}

function isShell(word: string): boolean {
  return SHELLS.has(path.basename(word));
}

/** Programs that run what a file or a variable says: nobody can see from here what that is. */
export function runsRecipes(word: string): boolean {
  return isShell(word) || word.startsWith('$') || RECIPE_RUNNERS.has(path.basename(word));
}

function isPlain(program: string): boolean {
  return PLAIN_TOOLS.has(program.startsWith('/') ? path.basename(program) : program);
}

function programAt(words: readonly string[]): number {
  let at = 0;
  while (at < words.length) {
    const word = words[at]!;
    if (KEYWORDS.has(word) || /^\w+=/.test(word)) at++;
    else if (WRAPPERS.has(path.basename(word))) at = skipOptions(words, at + 1);
    else break;
  }
  return at;
}

/** Past options, assignments and bare numbers or durations (`timeout 10m`, `nice -n 5`). */
function skipOptions(words: readonly string[], from: number): number {
  let at = from;
  while (at < words.length && /^-|^\w+=|^\d+(\.\d+)?[smhd]?$/.test(words[at]!)) at++;
  return at;
}

/** The text of `-c`, `-lc` and the like. */
function shellText(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => /^-[a-z]*c[a-z]*$/.test(word));
  return at === -1 ? undefined : words[at + 1];
}

function splitText(text: string): SimpleCommand[] {
  return text
    .split(/[;&|\n()`]+/)
    .map((part) => part.replace(/["']/g, ' ').trim().split(/\s+/))
    .flatMap((words) => simpleCommands(words));
}
