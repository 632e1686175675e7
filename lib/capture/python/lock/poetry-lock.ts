import * as v from 'valibot';
import { canonicalName } from '../../../contract';
import type { Lock, LockedDependency, LockedOrigin, LockedPackage } from './model';

/* poetry.lock, versions 1.1 to 2.1 of the format; since 2.1 each package says by itself which groups want it. */

const ConstraintSchema = v.union([
  v.string(),
  v.object({ markers: v.optional(v.string()), extras: v.optional(v.array(v.string())), optional: v.optional(v.boolean()) }),
]);
const DependencySchema = v.union([ConstraintSchema, v.array(ConstraintSchema)]);
const PackageSchema = v.object({
  name: v.string(),
  version: v.string(),
  optional: v.optional(v.boolean(), false),
  groups: v.optional(v.array(v.string())),
  markers: v.optional(v.union([v.string(), v.record(v.string(), v.string())])),
  files: v.optional(v.array(v.object({ file: v.string(), hash: v.string() })), []),
  dependencies: v.optional(v.record(v.string(), DependencySchema), {}),
  extras: v.optional(v.record(v.string(), v.array(v.string())), {}),
  source: v.optional(
    v.object({
      type: v.string(),
      url: v.string(),
      resolved_reference: v.optional(v.string()),
      subdirectory: v.optional(v.string()),
    }),
  ),
});
type Package = v.InferOutput<typeof PackageSchema>;

const PoetryLockSchema = v.object({
  package: v.optional(v.array(PackageSchema), []),
  metadata: v.object({
    'lock-version': v.string(),
    files: v.optional(v.record(v.string(), v.array(v.object({ file: v.string(), hash: v.string() }))), {}),
  }),
});

/** @param asked what the project asks for, for lockfiles that do not say it @throws ValiError */
export function readPoetryLock(content: unknown, asked: readonly LockedDependency[]): Lock {
  const { package: packages, metadata } = v.parse(PoetryLockSchema, content);
  const read = packages.map((found) => ({ found, locked: packageOf(found, metadata.files[found.name] ?? []) }));
  const tellsGroups = packages.every(({ groups }) => groups !== undefined);
  const wanted = read.flatMap(({ found, locked }) => (found.groups?.includes('main') ? [locked] : []));
  return { packages: read.map(({ locked }) => locked), roots: tellsGroups ? { wanted: new Set(wanted) } : { dependencies: asked } };
}

function packageOf(found: Package, olderFiles: Package['files']): LockedPackage {
  const marker = typeof found.markers === 'string' ? found.markers : found.markers?.['main'];
  return {
    name: canonicalName(found.name),
    version: found.version,
    origin: originOf(found.source),
    files: [...found.files, ...olderFiles].map(({ file, hash }) => ({ name: file, hash })),
    ...(marker ? { marker } : {}),
    dependencies: Object.entries(found.dependencies).flatMap(([name, constraint]) => dependenciesOf(name, constraint)),
    optional: Object.fromEntries(
      Object.entries(found.extras).map(([extra, asked]) => [
        canonicalName(extra),
        asked.map((text) => ({ name: /^[\w.-]+/.exec(text)?.[0] ?? text, extras: [] })),
      ]),
    ),
  };
}

function dependenciesOf(name: string, constraint: v.InferOutput<typeof DependencySchema>): LockedDependency[] {
  return [constraint].flat().flatMap((one) => {
    if (typeof one === 'string') return [{ name, extras: [] }];
    if (one.optional) return [];
    return [{ name, extras: one.extras ?? [], ...(one.markers ? { marker: one.markers } : {}) }];
  });
}

function originOf(source: Package['source']): LockedOrigin {
  switch (source?.type) {
    case 'git':
      return {
        kind: 'git',
        url: source.url,
        commit: source.resolved_reference ?? '',
        ...(source.subdirectory ? { subdirectory: source.subdirectory } : {}),
      };
    case 'url':
      return { kind: 'url', url: source.url };
    case 'directory':
      return { kind: 'directory', path: source.url };
    case 'file':
      return { kind: 'file', path: source.url };
    default:
      return { kind: 'index', ...(source ? { url: source.url } : {}) };
  }
}
