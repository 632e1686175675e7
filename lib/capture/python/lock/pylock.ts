import * as v from 'valibot';
import { canonicalName } from '../../../contract';
import type { Lock, LockedFile, LockedOrigin, LockedPackage } from './model';

/* pylock.toml. Source: PyPA specification "pylock.toml" (PEP 751). */

const FileSchema = v.object({
  name: v.optional(v.string()),
  url: v.optional(v.string()),
  path: v.optional(v.string()),
  hashes: v.optional(v.record(v.string(), v.string()), {}),
});
type File = v.InferOutput<typeof FileSchema>;
const PackageSchema = v.object({
  name: v.string(),
  version: v.optional(v.string()),
  marker: v.optional(v.string()),
  index: v.optional(v.string()),
  sdist: v.optional(FileSchema),
  wheels: v.optional(v.array(FileSchema), []),
  vcs: v.optional(
    v.object({
      type: v.string(),
      url: v.optional(v.string()),
      path: v.optional(v.string()),
      'commit-id': v.string(),
      subdirectory: v.optional(v.string()),
    }),
  ),
  directory: v.optional(v.object({ path: v.string() })),
  archive: v.optional(FileSchema),
});
type Package = v.InferOutput<typeof PackageSchema>;

const PylockSchema = v.object({
  'lock-version': v.pipe(v.string(), v.regex(/^1\./)),
  'default-groups': v.optional(v.array(v.string()), []),
  packages: v.optional(v.array(PackageSchema), []),
});

/** Packages, and the groups that its markers are asked with. @throws ValiError */
export function readPylock(content: unknown): Lock & { readonly groups: readonly string[] } {
  const { packages, 'default-groups': groups } = v.parse(PylockSchema, content);
  const read = packages.map(packageOf);
  return { packages: read, roots: { wanted: new Set(read) }, groups: groups.map(canonicalName) };
}

function packageOf(found: Package): LockedPackage {
  return {
    name: canonicalName(found.name),
    ...(found.version === undefined ? {} : { version: found.version }),
    origin: originOf(found),
    files: [found.sdist, ...found.wheels].flatMap((file) => (file ? filesOf(file) : [])),
    ...(found.marker ? { marker: found.marker } : {}),
    dependencies: [],
    optional: {},
  };
}

/** By the first algorithm that installers take: they compare any of them. */
function filesOf(file: File): LockedFile[] {
  const algorithm = ['sha256', 'sha384', 'sha512'].find((known) => file.hashes[known] !== undefined);
  const name = file.name ?? (file.url ?? file.path)?.split(/[?#]/)[0]!.split('/').at(-1);
  return algorithm === undefined
    ? []
    : [{ hash: `${algorithm}:${file.hashes[algorithm]}`, ...(name ? { name: decodeURIComponent(name) } : {}) }];
}

function originOf({ vcs, directory, archive, index }: Package): LockedOrigin {
  if (vcs) {
    const { url, path, subdirectory } = vcs;
    return { kind: 'git', url: url ?? path ?? '', commit: vcs['commit-id'], ...(subdirectory ? { subdirectory } : {}) };
  }
  if (directory) return { kind: 'directory', path: directory.path };
  if (archive?.url) return { kind: 'url', url: archive.url };
  if (archive?.path) return { kind: 'file', path: archive.path };
  return { kind: 'index', ...(index ? { url: index } : {}) };
}
