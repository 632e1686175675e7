import path from 'node:path';
import * as v from 'valibot';
import { RawcloudError } from '../../contract';
import { ownDirectory, parseLock, RELOCK, unknownFormat } from './lock';
import type { Lock } from './lock';
import { parseYaml } from './yaml';

const Names = v.optional(v.record(v.string(), v.string()), {});
const WorkspaceSchema = v.looseObject({ dependencies: Names, devDependencies: Names, optionalDependencies: Names });

/** Source: bun.sh, "bun.lock". A package is an array: what it was resolved to, then what differs by its kind. */
const LockfileSchema = v.looseObject({
  lockfileVersion: v.number(),
  workspaces: v.record(v.string(), WorkspaceSchema),
  packages: v.optional(v.record(v.string(), v.array(v.unknown())), {}),
});

/** Reads bun.lock. @throws E_PACKAGE when it is damaged or not known */
export async function readBunLock(file: string): Promise<Lock> {
  const { lockfileVersion, workspaces, packages } = await parseLock(file, 'bun', (text) => v.parse(LockfileSchema, parseYaml(text)));
  if (lockfileVersion > 2)
    throw unknownFormat(file, String(lockfileVersion), '0, 1 and 2', `Run '${RELOCK.bun}' with bun 1.2 or newer, which rewrites it.`);
  const resolved = Object.entries(packages).flatMap(([name, [resolution]]) =>
    typeof resolution === 'string' ? [[name, resolution] as const] : [],
  );
  const installed = resolved.filter(([, resolution]) => !resolution.includes('@workspace:'));
  const own = Object.entries(workspaces);
  return {
    file,
    manager: 'bun',
    format: String(lockfileVersion),
    managers: '>=1.2',
    counts: { all: installed.length },
    asked: new Map(
      own.map(([at, { dependencies, devDependencies, optionalDependencies }]) => [
        ownDirectory(at),
        new Map(Object.entries({ ...devDependencies, ...dependencies, ...optionalDependencies })),
      ]),
    ),
    developmentTools: new Set(own.flatMap(([, { devDependencies }]) => Object.keys(devDependencies))),
    addresses: installed.map(([name, resolution]) => [name, resolution.slice(resolution.indexOf('@', 1) + 1)]),
  };
}

/** The binary form of bun before 1.2. */
export function refuseBunLockb(file: string): RawcloudError {
  return new RawcloudError('E_PACKAGE', `${file} is a binary lockfile, which only bun reads`, {
    remedy: `Run 'bun install --save-text-lockfile --frozen-lockfile --lockfile-only' in ${path.dirname(file)}, which writes bun.lock beside it, and delete bun.lockb.`,
  });
}
