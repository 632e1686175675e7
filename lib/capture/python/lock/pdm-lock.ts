import * as v from 'valibot';
import { canonicalName } from '../../../contract';
import { parseRequirement } from './asked';
import type { Lock, LockedDependency, LockedOrigin, LockedPackage } from './model';

/* pdm.lock, format 4: with `inherit_metadata`, its default, each package says by itself which groups want it. */

const PackageSchema = v.object({
  name: v.string(),
  version: v.optional(v.string()),
  extras: v.optional(v.array(v.string()), []),
  groups: v.optional(v.array(v.string())),
  marker: v.optional(v.string()),
  dependencies: v.optional(v.array(v.string()), []),
  files: v.optional(v.array(v.object({ file: v.optional(v.string()), url: v.optional(v.string()), hash: v.string() })), []),
  git: v.optional(v.string()),
  revision: v.optional(v.string()),
  subdirectory: v.optional(v.string()),
  url: v.optional(v.string()),
  path: v.optional(v.string()),
});
type Package = v.InferOutput<typeof PackageSchema>;

const PdmLockSchema = v.object({ metadata: v.object({ lock_version: v.string() }), package: v.optional(v.array(PackageSchema), []) });

/** @param asked what the project asks for, for lockfiles that do not say it @throws ValiError */
export function readPdmLock(content: unknown, asked: readonly LockedDependency[]): Lock {
  const { package: packages } = v.parse(PdmLockSchema, content);
  const read = packages.map((found) => ({ found, locked: packageOf(found) }));
  const tellsGroups = packages.every(({ groups }) => groups !== undefined);
  const wanted = read.flatMap(({ found, locked }) => (found.groups?.includes('default') ? [locked] : []));
  return { packages: read.map(({ locked }) => locked), roots: tellsGroups ? { wanted: new Set(wanted) } : { dependencies: asked } };
}

function packageOf(found: Package): LockedPackage {
  return {
    name: canonicalName(found.name),
    ...(found.version === undefined ? {} : { version: found.version }),
    origin: originOf(found),
    files: found.files.map(({ file, url, hash }) => ({ name: file ?? url!.split(/[?#]/)[0]!.split('/').at(-1)!, hash })),
    ...(found.marker ? { marker: found.marker } : {}),
    dependencies: found.dependencies.flatMap((text) => parseRequirement(text) ?? []),
    optional: {},
  };
}

function originOf({ git, revision, subdirectory, url, path }: Package): LockedOrigin {
  if (git !== undefined) return { kind: 'git', url: git, commit: revision ?? '', ...(subdirectory ? { subdirectory } : {}) };
  if (url !== undefined) return { kind: 'url', url };
  if (path !== undefined) return /\.(whl|tar\.gz|zip)$/.test(path) ? { kind: 'file', path } : { kind: 'directory', path };
  return { kind: 'index' };
}
