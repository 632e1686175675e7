import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import { partsOfUrl } from './model';
import type { CondaLock, LockedConda, LockedPip, LockedSet } from './model';

/* pixi.lock, as pixi has written it since version 4 of the format (2024). Source: rattler_lock, `parse/`, and pixi's "Lock file". */

const Text = v.optional(v.nullable(v.string()));
/** Version 4 and 5 say what it is in `kind`, later ones by the key of its place. */
const EntrySchema = v.object({
  kind: Text,
  conda: Text,
  pypi: Text,
  url: Text,
  path: Text,
  name: Text,
  version: v.optional(v.nullable(v.pipe(v.union([v.string(), v.number()]), v.transform(String)))),
  build: Text,
  sha256: Text,
  md5: Text,
  depends: v.optional(v.nullable(v.array(v.string()))),
});
type Entry = v.InferOutput<typeof EntrySchema>;

const ReferenceSchema = v.object({ conda: Text, pypi: Text });
const EnvironmentSchema = v.object({
  indexes: v.optional(v.array(v.string()), []),
  packages: v.optional(v.record(v.string(), v.array(ReferenceSchema)), {}),
});
const PixiLockSchema = v.object({
  version: v.picklist([4, 5, 6, 7]),
  /** From version 7 on platforms may have names of their own. */
  platforms: v.optional(v.array(v.object({ name: v.string(), subdir: Text })), []),
  environments: v.optional(v.record(v.string(), EnvironmentSchema), {}),
  packages: v.optional(v.array(EntrySchema), []),
});

const PYPI = /^https:\/\/pypi\.(?:python\.)?org\/simple\/?$/;

/** undefined when it knows no such environment. @throws ValiError, SyntaxError that names what has no archive */
export function readPixiLock(content: unknown, file: string, environment: string): CondaLock | undefined {
  const lock = v.parse(PixiLockSchema, content);
  const wanted = lock.environments[environment];
  if (!wanted) return undefined;
  const conda = new Map(lock.packages.flatMap((entry) => (condaPlace(entry) === undefined ? [] : [[condaPlace(entry)!, entry] as const])));
  const pip = new Map(lock.packages.flatMap((entry) => (pypiPlace(entry) === undefined ? [] : [[pypiPlace(entry)!, entry] as const])));
  const [index] = wanted.indexes.filter((url) => !PYPI.test(url));
  const platforms = Object.entries(wanted.packages).map(([name, references]): [string, LockedSet] => {
    const subdir = lock.platforms.find((one) => one.name === name)?.subdir ?? name;
    return [
      subdir,
      {
        conda: references.flatMap((one) =>
          one.pypi ? [] : [lockedConda(one.conda ?? '', { known: conda, directory: path.dirname(file) })],
        ),
        pip: references.flatMap((one) => (one.pypi ? [lockedPip(one.pypi, pip)] : [])),
        ...(index === undefined ? {} : { index }),
        optional: new Set(),
      },
    ];
  });
  const addPlatform = (subdir: string): string => `pixi workspace platform add ${subdir}`;
  return { name: path.basename(file), platforms: new Map(platforms), addPlatform };
}

function condaPlace({ kind, conda, url }: Entry): string | undefined {
  return conda ?? (kind === 'conda' ? (url ?? undefined) : undefined);
}

function pypiPlace({ kind, pypi, url, path: at }: Entry): string | undefined {
  return pypi ?? (kind === 'pypi' ? (url ?? at ?? undefined) : undefined);
}

function lockedConda(place: string, { known, directory }: { known: ReadonlyMap<string, Entry>; directory: string }): LockedConda {
  // An archive of a channel that is a directory of this machine.
  const url = /\.(conda|tar\.bz2)$/.test(place) && !URL.canParse(place) ? pathToFileURL(path.resolve(directory, place)).href : place;
  const parts = partsOfUrl(url);
  if (!parts)
    throw new SyntaxError(
      `it has a package of conda that is built from source${place && ` (${path.basename(place)})`}, which a VM does not do`,
    );
  const { name, version, build, sha256, md5, depends } = known.get(place) ?? {};
  return {
    name: name ?? parts.name,
    version: version ?? parts.version,
    build: build ?? parts.build,
    url,
    ...(sha256 ? { sha256 } : {}),
    ...(md5 ? { md5 } : {}),
    depends: depends ?? [],
  };
}

function lockedPip(place: string, known: ReadonlyMap<string, Entry>): LockedPip {
  const { name, version, sha256 } = known.get(place) ?? {};
  if (!name) throw new SyntaxError(`it does not say what ${place} is`);
  return { name, place, ...(version ? { version } : {}), ...(sha256 ? { sha256 } : {}) };
}
