import * as v from 'valibot';
import { canonicalName } from '../../../contract';
import type { Lock, LockedDependency, LockedFile, LockedOrigin, LockedPackage } from './model';

/* uv.lock. Source: uv documentation, "The lockfile", and what uv writes: versions 1 of the format. */

const FileSchema = v.object({ url: v.optional(v.string()), path: v.optional(v.string()), hash: v.optional(v.string()) });
const DependencySchema = v.object({
  name: v.string(),
  version: v.optional(v.string()),
  marker: v.optional(v.string()),
  extra: v.optional(v.array(v.string())),
});
const Dependencies = v.optional(v.array(DependencySchema), []);
const SourceSchema = v.object({
  registry: v.optional(v.string()),
  git: v.optional(v.string()),
  url: v.optional(v.string()),
  path: v.optional(v.string()),
  directory: v.optional(v.string()),
  editable: v.optional(v.string()),
  virtual: v.optional(v.string()),
});
const PackageSchema = v.object({
  name: v.string(),
  version: v.optional(v.string()),
  source: SourceSchema,
  'resolution-markers': v.optional(v.array(v.string())),
  dependencies: Dependencies,
  'optional-dependencies': v.optional(v.record(v.string(), v.array(DependencySchema)), {}),
  sdist: v.optional(FileSchema),
  wheels: v.optional(v.array(FileSchema), []),
});
type Package = v.InferOutput<typeof PackageSchema>;

const UvLockSchema = v.object({ version: v.literal(1), package: v.optional(v.array(PackageSchema), []) });

/**
 * @param member name of the project that is asked for: a workspace has one lockfile for all of its members
 * @throws ValiError
 */
export function readUvLock(content: unknown, member: string | undefined): Lock {
  const { package: packages } = v.parse(UvLockSchema, content);
  const wanted = packages.find(({ name }) => member !== undefined && canonicalName(name) === canonicalName(member));
  const root = wanted ?? packages.find(({ source }) => source.virtual === '.' || source.editable === '.');
  return {
    packages: packages.filter((found) => found.source.virtual === undefined || found === root).map(packageOf),
    roots: { dependencies: root ? [{ name: root.name, extras: [], ...(root.version ? { version: root.version } : {}) }] : [] },
  };
}

function packageOf(found: Package): LockedPackage {
  const forks = found['resolution-markers'];
  return {
    name: canonicalName(found.name),
    ...(found.version === undefined ? {} : { version: found.version }),
    origin: originOf(found.source),
    files: [found.sdist, ...found.wheels].flatMap(fileOf),
    ...(forks ? { marker: forks.map((marker) => `(${marker})`).join(' or ') } : {}),
    dependencies: found.dependencies.map(dependencyOf),
    optional: Object.fromEntries(
      Object.entries(found['optional-dependencies']).map(([extra, asked]) => [canonicalName(extra), asked.map(dependencyOf)]),
    ),
  };
}

function dependencyOf({ name, version, marker, extra = [] }: v.InferOutput<typeof DependencySchema>): LockedDependency {
  return { name, extras: extra, ...(version ? { version } : {}), ...(marker ? { marker } : {}) };
}

function fileOf(file: v.InferOutput<typeof FileSchema> | undefined): LockedFile[] {
  if (file?.hash === undefined) return [];
  const place = file.url ?? file.path;
  return [{ hash: file.hash, ...(place ? { name: decodeURIComponent(place.split(/[?#]/)[0]!.split('/').at(-1)!) } : {}) }];
}

function originOf({ registry, git, url, path, directory, editable, virtual }: Package['source']): LockedOrigin {
  if (git !== undefined) {
    const [place, commit = ''] = git.split('#');
    const [base, query = ''] = place!.split('?');
    const subdirectory = new URLSearchParams(query).get('subdirectory');
    return { kind: 'git', url: base!, commit, ...(subdirectory ? { subdirectory } : {}) };
  }
  if (url !== undefined) return { kind: 'url', url };
  if (path !== undefined) return { kind: 'file', path };
  if (virtual !== undefined) return { kind: 'virtual' };
  const project = directory ?? editable;
  if (project !== undefined) return { kind: 'directory', path: project };
  return { kind: 'index', ...(registry ? { url: registry } : {}) };
}
