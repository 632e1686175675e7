import { CONDA_RUNNERS } from './recipes';

/* `conda run …` and its like, as capture reads it here and as a VM does it. */

export type CondaRunner = (typeof CONDA_RUNNERS)[number];

/** Options of the runners' `run` that take a value. Source: `conda run --help`, `micromamba run --help`, `pixi run --help`. */
export const CONDA_RUN_VALUED = [
  ...['-n', '--name', '-p', '--prefix', '--cwd', '-r', '--root-prefix', '-a', '--attach', '-e', '--env', '--label'],
  ...['--environment', '-m', '--manifest-path', '-w', '--workspace', '--concurrent-solves', '--concurrent-downloads', '--color'],
] as const;

/** `conda run -n x python a.py` */
export interface CondaRun {
  readonly runner: CondaRunner;
  /** By option, dashes included; flags have none. */
  readonly options: ReadonlyMap<string, string>;
  /** What is to be run. */
  readonly words: readonly string[];
}

/** undefined for what runs nothing in an environment. */
export function condaRunIn(words: readonly string[]): CondaRun | undefined {
  const at = words.findIndex((word) => CONDA_RUNNERS.some((runner) => word === runner || word.endsWith(`/${runner}`)));
  const runner = CONDA_RUNNERS.find((name) => words[at]?.split('/').at(-1) === name);
  if (runner === undefined || words[at + 1] !== 'run') return undefined;
  const options = new Map<string, string>();
  let next = at + 2;
  for (let word = words[next]; word?.startsWith('-'); word = words[next]) {
    next++;
    if (word === '--') break;
    const [, name, value] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
    if (name !== undefined) options.set(name, value!);
    else if (isValued(word)) options.set(word, words[next++] ?? '');
  }
  return { runner, options, words: words.slice(next) };
}

function isValued(option: string): boolean {
  return CONDA_RUN_VALUED.some((valued) => valued === option);
}
