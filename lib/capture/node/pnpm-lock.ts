import * as v from 'valibot';
import { ownDirectory, parseLock, RELOCK, unknownFormat } from './lock';
import type { Lock } from './lock';
import { parseYaml } from './yaml';

/** Forms before 6 keep the range in `specifiers`, and the version alone beside the name. */
const Version = v.union([v.string(), v.looseObject({ specifier: v.string() })]);
const Group = v.nullish(v.record(v.string(), Version), {});

const ImporterSchema = v.looseObject({
  specifiers: v.nullish(v.record(v.string(), v.string()), {}),
  dependencies: Group,
  devDependencies: Group,
  optionalDependencies: Group,
});
type Importer = v.InferOutput<typeof ImporterSchema>;

const PackageSchema = v.looseObject({
  dev: v.optional(v.boolean(), false),
  resolution: v.optional(v.looseObject({ tarball: v.optional(v.string()), repo: v.optional(v.string()) }), {}),
});

/** Source: pnpm/spec, "lockfile". Without workspaces, forms before 9 have what an importer holds at the top. */
const LockfileSchema = v.looseObject({
  ...ImporterSchema.entries,
  lockfileVersion: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  importers: v.nullish(v.record(v.string(), ImporterSchema)),
  packages: v.nullish(v.record(v.string(), PackageSchema), {}),
});
type Lockfile = v.InferOutput<typeof LockfileSchema>;

/** Which pnpm writes and reads each form. */
const FORMS: readonly (readonly [form: RegExp, managers: string])[] = [
  [/^5\.[34]/, '7'],
  [/^6\./, '8'],
  [/^9\./, '>=9'],
];

/** Reads pnpm-lock.yaml. @throws E_PACKAGE when it is damaged, or of a form that is not known */
export async function readPnpmLock(file: string): Promise<Lock> {
  const lockfile = await parseLock(file, 'pnpm', (text) => v.parse(LockfileSchema, parseYaml(text)));
  const format = lockfile.lockfileVersion;
  const managers = FORMS.find(([form]) => form.test(format))?.[1];
  if (managers === undefined)
    throw unknownFormat(file, format, '5.3, 5.4, 6 and 9', `Run '${RELOCK.pnpm}' with a current pnpm, which rewrites it.`);
  const packages = Object.entries(lockfile.packages ?? {});
  const importers = Object.entries(lockfile.importers ?? { '.': lockfile });
  const flagged = packages.some(([, { dev }]) => dev);
  return {
    file,
    manager: 'pnpm',
    format,
    managers,
    counts: { all: packages.length, ...(flagged ? { production: packages.filter(([, { dev }]) => !dev).length } : {}) },
    asked: new Map(importers.map(([at, importer]) => [ownDirectory(at), askedBy(importer)])),
    developmentTools: new Set(importers.flatMap(([, { devDependencies }]) => Object.keys(devDependencies ?? {}))),
    addresses: addressesOf(packages, lockfile),
  };
}

function askedBy({ specifiers, dependencies, devDependencies, optionalDependencies }: Importer): Map<string, string> {
  const asked = Object.entries({ ...devDependencies, ...dependencies, ...optionalDependencies });
  return new Map(asked.map(([name, found]) => [name, typeof found === 'string' ? (specifiers?.[name] ?? found) : found.specifier]));
}

function addressesOf(packages: readonly (readonly [string, v.InferOutput<typeof PackageSchema>])[], lockfile: Lockfile): Lock['addresses'] {
  const importers = Object.values(lockfile.importers ?? { '.': lockfile });
  return [
    ...packages.flatMap(([name, { resolution }]) =>
      [resolution.tarball, resolution.repo].flatMap((url) => (url ? [[name, url] as const] : [])),
    ),
    ...importers.flatMap((importer) => [...askedBy(importer)]),
  ];
}
