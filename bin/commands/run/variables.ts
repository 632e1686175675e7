import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CliIo } from '../../io';
import type { RunOptions } from '../../options';
import { parseEnvFile, parseVariable } from './env-file';
import type { Variable } from './env-file';
import type { Problems } from './problems';

/** Variables of the job: of the files in order, then of `--env`; a later one wins. */
export async function readVariables(
  options: RunOptions,
  io: Pick<CliIo, 'env' | 'cwd'>,
  problems: Problems,
): Promise<Record<string, string>> {
  const variables: Variable[] = [];
  for (const file of options.envFile ?? []) variables.push(...(await readEnvFile(file, io, problems)));
  for (const text of options.env ?? []) {
    const variable = problems.try(() => parseVariable(text, io.env, '--env'));
    if (variable) variables.push(variable);
  }
  return Object.fromEntries(variables);
}

async function readEnvFile(file: string, io: Pick<CliIo, 'env' | 'cwd'>, problems: Problems): Promise<Variable[]> {
  let text: string;
  try {
    text = await readFile(path.resolve(io.cwd, file), 'utf8');
  } catch (error) {
    problems.add(`--env-file '${file}' cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
  const read = parseEnvFile(text, file, io.env);
  for (const problem of read.problems) problems.add(problem);
  return read.variables;
}
