import path from 'node:path';
import * as v from 'valibot';
import { partsOfUrl } from './model';
import type { CondaLock, LockedConda, LockedPip, LockedSet } from './model';

/* conda-lock.yml, version 1. Source: conda-lock, `lockfile/v1/models.py`. */

const PackageSchema = v.object({
  name: v.string(),
  version: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  manager: v.picklist(['conda', 'pip']),
  platform: v.string(),
  dependencies: v.optional(v.nullable(v.record(v.string(), v.unknown())), {}),
  url: v.string(),
  hash: v.object({ md5: v.optional(v.nullable(v.string())), sha256: v.optional(v.nullable(v.string())) }),
  category: v.optional(v.string(), 'main'),
});
type Package = v.InferOutput<typeof PackageSchema>;
const CondaLockSchema = v.object({ version: v.literal(1), package: v.array(PackageSchema) });

/** What `conda-lock install` takes without further words. */
const CATEGORIES = ['main', 'dev'];

/** @throws ValiError, SyntaxError */
export function readCondaLock(content: unknown, file: string): CondaLock {
  const { package: packages } = v.parse(CondaLockSchema, content);
  const platforms = [...new Set(packages.map(({ platform }) => platform))].map((platform): [string, LockedSet] => {
    const own = packages.filter((found) => found.platform === platform && CATEGORIES.includes(found.category));
    return [
      platform,
      {
        conda: own.flatMap((found) => (found.manager === 'conda' ? [lockedConda(found)] : [])),
        pip: own.flatMap((found) => (found.manager === 'pip' ? [lockedPip(found)] : [])),
        optional: new Set(own.filter(({ category }) => category !== 'main').map(({ name }) => name)),
      },
    ];
  });
  const addPlatform = (subdir: string): string => `conda-lock lock -p ${subdir}`;
  return { name: path.basename(file), platforms: new Map(platforms), addPlatform };
}

function lockedConda({ name, version, url, hash, dependencies }: Package): LockedConda {
  const parts = partsOfUrl(url);
  if (!parts) throw new SyntaxError(`what it names for ${name} is no archive of conda`);
  return {
    name,
    version,
    build: parts.build,
    url,
    ...(hash.sha256 ? { sha256: hash.sha256 } : {}),
    ...(hash.md5 ? { md5: hash.md5 } : {}),
    depends: Object.keys(dependencies ?? {}),
  };
}

function lockedPip({ name, version, url, hash }: Package): LockedPip {
  return { name, version, place: url, ...(hash.sha256 ? { sha256: hash.sha256 } : {}) };
}
