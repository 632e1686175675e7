import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { unlessMissing } from '../../contract';
import { isFile } from '../executables';
import { readSettings } from './yaml';

const YarnRcSchema = v.looseObject({ yarnPath: v.optional(v.string()) });
export type YarnRc = v.InferOutput<typeof YarnRcSchema>;

/** .yarnrc.yml of a directory; of yarn 1, which has .yarnrc, what matters of that. */
export async function readYarnRc(directory: string, expand?: (text: string) => string): Promise<YarnRc> {
  const file = path.join(directory, '.yarnrc.yml');
  if (!(await isFile(file))) return readClassicRc(path.join(directory, '.yarnrc'));
  return readSettings(file, YarnRcSchema, { remedy: "Mend it; 'yarn config' says what is wrong.", ...(expand ? { expand } : {}) });
}

async function readClassicRc(file: string): Promise<YarnRc> {
  const yarnPath = /^yarn-path\s+"?([^"\s]+)"?/m.exec(await unlessMissing(readFile(file, 'utf8'), ''))?.[1];
  return yarnPath === undefined ? {} : { yarnPath };
}
