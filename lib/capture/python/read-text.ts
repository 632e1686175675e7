import { readFile } from 'node:fs/promises';
import { hasCode } from '../../contract';

/** undefined when there is no such file; what cannot be read otherwise fails. */
export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
