import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { RawcloudError } from '../../contract';
import { isFile } from '../executables';

const Names = v.optional(v.record(v.string(), v.string()), {});
const Nested = v.optional(v.record(v.string(), v.unknown()), {});
const Globs = v.array(v.string());

/** package.json as far as it matters here. */
const ManifestSchema = v.looseObject({
  name: v.optional(v.string()),
  dependencies: Names,
  optionalDependencies: Names,
  devDependencies: Names,
  scripts: Names,
  /** yarn 1 also knows an object, whose `nohoist` it honours itself. */
  workspaces: v.optional(
    v.union([
      Globs,
      v.pipe(
        v.looseObject({ packages: v.optional(Globs, []) }),
        v.transform(({ packages }) => packages),
      ),
    ]),
    [],
  ),
  packageManager: v.optional(v.string()),
  engines: v.optional(v.looseObject({ node: v.optional(v.string()) }), {}),
  volta: v.optional(v.looseObject({ node: v.optional(v.string()), extends: v.optional(v.string()) }), {}),
  /** npm; may be nested. */
  overrides: Nested,
  /** yarn. */
  resolutions: Names,
  pnpm: v.optional(v.looseObject({ overrides: Names }), {}),
});
export type Manifest = v.InferOutput<typeof ManifestSchema>;

/** @returns undefined when there is none; @throws E_PACKAGE when it cannot be read */
export async function readManifest(directory: string): Promise<Manifest | undefined> {
  const file = path.join(directory, 'package.json');
  if (!(await isFile(file))) return undefined;
  try {
    return v.parse(ManifestSchema, JSON.parse(stripMark(await readFile(file, 'utf8'))));
  } catch (cause) {
    throw new RawcloudError('E_PACKAGE', `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      remedy: "Mend it; 'npm ls' in its directory says what is wrong.",
      cause,
    });
  }
}

/** Editors of Windows write a byte order mark, which package managers pass over. */
function stripMark(text: string): string {
  return text.replace(/^\uFEFF/, '');
}

/** Dependencies by name, of the groups that are installed. A name stands in one group: managers move what is optional too. */
export function dependenciesOf(manifest: Manifest, dev: boolean): Map<string, string> {
  return new Map(Object.entries({ ...(dev ? manifest.devDependencies : {}), ...manifest.dependencies, ...manifest.optionalDependencies }));
}

/** Scripts that an install runs of the developer's own packages, and that need only what is installed. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

export function installScripts({ scripts }: Manifest): string[] {
  return INSTALL_SCRIPTS.filter((name) => name in scripts);
}
