import { readFile } from 'node:fs/promises';
import { FAILSAFE_SCHEMA, loadAll } from 'js-yaml';
import * as v from 'valibot';
import { RawcloudError, unlessMissing } from '../../contract';

/**
 * YAML, and JSON with commas after last members, which is YAML too. The last document where there are several: from 11 on, pnpm
 * keeps what itself is made of in one before. undefined when there is none.
 * @param scalars `text`: as it stands, whatever it looks like. @default - numbers, truth values and null by YAML's rules
 */
export function parseYaml(text: string, scalars?: 'text'): unknown {
  refuseConflict(text);
  return loadAll(text, scalars === 'text' ? { schema: FAILSAFE_SCHEMA } : {}).at(-1);
}

/** @throws when git has left a conflict in it */
export function refuseConflict(text: string): void {
  if (/^(<{7}|={7}|>{7})( |$)/m.test(text)) throw new Error('it holds a conflict of git that nobody has resolved');
}

interface SettingsOptions {
  readonly remedy: string;
  /** Applied to the text first. @default - it is read as it stands */
  readonly expand?: (text: string) => string;
}

/** Settings of a manager; those of an empty file when there is none. @throws E_PACKAGE when it cannot be read */
export async function readSettings<const S extends v.GenericSchema>(
  file: string,
  schema: S,
  { remedy, expand = (text) => text }: SettingsOptions,
): Promise<v.InferOutput<S>> {
  const text = await unlessMissing(readFile(file, 'utf8'), '');
  try {
    return v.parse(schema, parseYaml(expand(text)) ?? {});
  } catch (cause) {
    throw new RawcloudError('E_PACKAGE', `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      remedy,
      cause,
    });
  }
}
