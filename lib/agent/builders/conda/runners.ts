import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CONDA_RUN_VALUED } from '../../../contract';
import type { BuildIo, CondaRecipe } from '../../../contract';

/** `conda`, `mamba`, `micromamba` or `pixi`, as far as the command calls them: what stands after `run` runs in the environment that is active. */
export async function writeRunners({ runners, tasks }: CondaRecipe, io: BuildIo): Promise<string[]> {
  if (runners.length === 0) return [];
  const directory = path.join(io.directory, 'runners');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const runner of runners)
    await writeFile(path.join(directory, runner), scriptOf(runner, runner === 'pixi' ? tasks : {}, io.root), { mode: 0o755 });
  return [directory];
}

function scriptOf(runner: string, tasks: CondaRecipe['tasks'], root: string): string {
  const valued = CONDA_RUN_VALUED.filter((option) => option !== '--cwd').join('|');
  return [
    '#!/bin/sh',
    `# What stands after '${runner} run': its environment is active already.`,
    `if [ "$1" != run ]; then echo "${runner}: on this VM there is '${runner} run' alone" >&2; exit 2; fi`,
    'shift',
    'while [ $# -gt 0 ]; do',
    '  case "$1" in',
    '    --cwd) cd "$2" || exit 1; shift 2 ;;',
    '    --cwd=*) cd "${1#*=}" || exit 1; shift ;;',
    `    ${valued}) shift 2 ;;`,
    '    --) shift; break ;;',
    '    -*) shift ;;',
    '    *) break ;;',
    '  esac',
    'done',
    ...taskLines(tasks, root),
    'exec "$@"',
    '',
  ].join('\n');
}

function taskLines(tasks: CondaRecipe['tasks'], root: string): string[] {
  const cases = Object.entries(tasks).map(
    ([name, { command, directory }]) =>
      `  ${quote(name)}) shift; cd ${quote(path.join(root, directory))} && exec sh -c ${quote(`${command} "$@"`)} ${quote(name)} "$@" ;;`,
  );
  return cases.length > 0 ? ['case "$1" in', ...cases, 'esac'] : [];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
