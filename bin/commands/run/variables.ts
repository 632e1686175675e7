import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CliIo } from '../../io';
import { parseEnvFile, parseVariable } from './env-file';
import type { Variable } from './env-file';
import type { Problems } from './problems';

/** One pair of options: `--env` and `--env-file`, or those for secrets. */
export interface VariableOptions {
  readonly option: '--env' | '--secret-env';
  readonly texts: readonly string[] | undefined;
  readonly files: readonly string[] | undefined;
}

/** Variables of the job: of the files in order, then of single ones; a later one wins. */
export async function readVariables(
  { option, texts = [], files = [] }: VariableOptions,
  io: Pick<CliIo, 'env' | 'cwd'>,
  problems: Problems,
): Promise<Record<string, string>> {
  const variables: Variable[] = [];
  for (const file of files) variables.push(...(await readEnvFile(`${option}-file`, file, io, problems)));
  for (const text of texts) {
    const variable = problems.try(() => parseVariable(text, io.env, option));
    if (variable) variables.push(variable);
  }
  return Object.fromEntries(variables);
}

async function readEnvFile(option: string, file: string, io: Pick<CliIo, 'env' | 'cwd'>, problems: Problems): Promise<Variable[]> {
  let text: string;
  try {
    text = await readFile(path.resolve(io.cwd, file), 'utf8');
  } catch (error) {
    problems.add(`${option} '${file}' cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
  const read = parseEnvFile(text, file, io.env);
  for (const problem of read.problems) problems.add(problem);
  return read.variables;
}
