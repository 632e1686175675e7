import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { decodeJson, encodeJson, ScaffoldSchema } from '../../contract';
import type { Begun, Memory } from './deps';

const BegunSchema = v.object({
  v: v.literal(1),
  scaffold: ScaffoldSchema,
  stack: v.optional(v.object({ id: v.string(), name: v.string() })),
  ownBucket: v.boolean(),
});

/** A file of this machine. @param directory rawcloud's own for state; made when it is not there */
export function fileMemory(directory: string, account: string, region: string, name: string): Memory {
  const file = path.join(directory, 'destroy', `${account}.${region}.${name}.json`);
  return {
    async read(): Promise<Begun | undefined> {
      const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (!bytes) return undefined;
      const { scaffold, stack, ownBucket } = decodeJson(BegunSchema, bytes, file);
      return { scaffold, ownBucket, ...(stack ? { stack } : {}) };
    },
    async write(begun) {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, encodeJson({ v: 1, ...begun }), { mode: 0o600 });
    },
    forget: () => rm(file, { force: true }),
  };
}
