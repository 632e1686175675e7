import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { unlessMissing } from '../../../contract';

/** What has to be on a machine that compiles a project. */
export async function needsOf(directory: string): Promise<'c' | 'rust'> {
  const pyproject = await unlessMissing(readFile(path.join(directory, 'pyproject.toml'), 'utf8'), '');
  return /\b(maturin|setuptools[-_]rust)\b/.test(pyproject) ? 'rust' : 'c';
}
