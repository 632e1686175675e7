import * as v from 'valibot';
import { canonicalName } from '../../../contract';
import type { Lock, LockedOrigin, LockedPackage } from './model';

/* Pipfile.lock, format 6. */

const PackageSchema = v.object({
  version: v.optional(v.string()),
  hashes: v.optional(v.array(v.string()), []),
  index: v.optional(v.string()),
  markers: v.optional(v.string()),
  git: v.optional(v.string()),
  ref: v.optional(v.string()),
  subdirectory: v.optional(v.string()),
  file: v.optional(v.string()),
  path: v.optional(v.string()),
});
type Package = v.InferOutput<typeof PackageSchema>;

const Group = v.optional(v.record(v.string(), PackageSchema), {});
const PipfileLockSchema = v.object({
  _meta: v.object({ sources: v.optional(v.array(v.object({ name: v.string(), url: v.string() })), []) }),
  default: Group,
  develop: Group,
});

/** @throws ValiError */
export function readPipfileLock(content: unknown): Lock {
  const { _meta: meta, default: wanted, develop } = v.parse(PipfileLockSchema, content);
  const urls = new Map(meta.sources.map(({ name, url }) => [name, url]));
  const read = (group: Record<string, Package>): LockedPackage[] =>
    Object.entries(group).map(([name, found]) => packageOf(name, found, urls, meta.sources[0]?.url));
  const packages = read(wanted);
  return { packages: [...packages, ...read(develop)], roots: { wanted: new Set(packages) } };
}

function packageOf(name: string, found: Package, urls: ReadonlyMap<string, string>, first: string | undefined): LockedPackage {
  const version = /^===?\s*([^*]+)$/.exec(found.version ?? '')?.[1];
  const index = found.index === undefined ? first : urls.get(found.index);
  return {
    name: canonicalName(name),
    ...(version ? { version } : {}),
    origin: originOf(found, index),
    files: found.hashes.map((hash) => ({ hash })),
    ...(found.markers ? { marker: found.markers } : {}),
    dependencies: [],
    optional: {},
  };
}

function originOf({ git, ref, subdirectory, file, path }: Package, index: string | undefined): LockedOrigin {
  if (git !== undefined) return { kind: 'git', url: git, commit: ref ?? '', ...(subdirectory ? { subdirectory } : {}) };
  if (file !== undefined) return /^https?:/.test(file) ? { kind: 'url', url: file } : { kind: 'file', path: file };
  if (path !== undefined) return /\.(whl|tar\.gz|zip)$/.test(path) ? { kind: 'file', path } : { kind: 'directory', path };
  return { kind: 'index', ...(index ? { url: index } : {}) };
}
