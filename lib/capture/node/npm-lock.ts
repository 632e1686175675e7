import * as v from 'valibot';
import { parseLock, RELOCK, unknownFormat } from './lock';
import type { Lock } from './lock';

const Names = v.optional(v.record(v.string(), v.string()), {});

/** One entry of `packages`: what lies in one directory of node_modules, or a package of the developer's own. */
const EntrySchema = v.object({
  resolved: v.optional(v.string()),
  link: v.optional(v.boolean(), false),
  dev: v.optional(v.boolean(), false),
  bin: v.optional(v.union([v.string(), v.record(v.string(), v.string())])),
  dependencies: Names,
  devDependencies: Names,
  optionalDependencies: Names,
});
type Entry = v.InferOutput<typeof EntrySchema>;

/** Source: npm documentation, package-lock.json, lockfileVersion 2 and 3. */
const LockfileSchema = v.object({ lockfileVersion: v.number(), packages: v.optional(v.record(v.string(), EntrySchema), {}) });

/**
 * Reads package-lock.json or npm-shrinkwrap.json.
 * @throws E_PACKAGE when it is damaged, or older than npm 7
 */
export async function readNpmLock(file: string): Promise<Lock> {
  const { lockfileVersion, packages } = await parseLock(file, 'npm', (text) => v.parse(LockfileSchema, JSON.parse(text)));
  if (lockfileVersion < 2)
    throw unknownFormat(file, String(lockfileVersion), '2 and 3', `Run '${RELOCK.npm}' with npm 7 or newer, which rewrites it.`);
  const entries = Object.entries(packages);
  const own = entries.filter(([at]) => !isInstalled(at));
  const installed = entries.filter(([at, { link }]) => isInstalled(at) && !link);
  return {
    file,
    manager: 'npm',
    format: String(lockfileVersion),
    managers: '>=7',
    counts: { all: installed.length, production: installed.filter(([, { dev }]) => !dev).length },
    ...(own.length > 0 ? { asked: new Map(own.map(([at, entry]) => [at, askedBy(entry)])) } : {}),
    developmentTools: new Set(installed.flatMap(([at, entry]) => (entry.dev ? toolsOf(at, entry) : []))),
    addresses: entries.flatMap(([at, entry]) => addressesOf(at, entry)),
  };
}

/** `node_modules/a`, `packages/b/node_modules/a`; the others are the developer's own. */
function isInstalled(at: string): boolean {
  return /(^|\/)node_modules\//.test(at);
}

function askedBy({ dependencies, devDependencies, optionalDependencies }: Entry): Map<string, string> {
  return new Map(Object.entries({ ...devDependencies, ...dependencies, ...optionalDependencies }));
}

function toolsOf(at: string, { bin }: Entry): string[] {
  return [packageName(at), ...(typeof bin === 'object' ? Object.keys(bin) : [])];
}

function addressesOf(at: string, entry: Entry): (readonly [string, string])[] {
  const name = packageName(at) || 'the project itself';
  return [...(entry.resolved ? [entry.resolved] : []), ...askedBy(entry).values()].map((url) => [name, url]);
}

/** `node_modules/a/node_modules/@b/c` gives `@b/c`. */
function packageName(directory: string): string {
  const at = directory.lastIndexOf('node_modules/');
  return at === -1 ? directory : directory.slice(at + 'node_modules/'.length);
}
