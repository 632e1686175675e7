import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { RawcloudError } from '../../contract';

const Names = v.optional(v.record(v.string(), v.string()), {});

/** One entry of `packages`: what lies in one directory of node_modules. */
const EntrySchema = v.object({
  version: v.optional(v.string()),
  resolved: v.optional(v.string()),
  link: v.optional(v.boolean(), false),
  dev: v.optional(v.boolean(), false),
  bin: v.optional(v.union([v.string(), v.record(v.string(), v.string())])),
  dependencies: Names,
  devDependencies: Names,
  optionalDependencies: Names,
});
export type LockEntry = v.InferOutput<typeof EntrySchema>;

/** Source: npm documentation, package-lock.json, lockfileVersion 2 and 3. */
const LockfileSchema = v.object({ lockfileVersion: v.number(), packages: v.optional(v.record(v.string(), EntrySchema), {}) });

export interface Lockfile {
  readonly file: string;
  /** By directory relative to the lockfile: `node_modules/a/node_modules/b`; '' is the project itself. */
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/**
 * Reads package-lock.json or npm-shrinkwrap.json.
 * @throws E_PACKAGE when it is older than npm 7, or names what a registry cannot give
 */
export async function readLockfile(file: string): Promise<Lockfile> {
  const { lockfileVersion, packages } = await parseLockfile(file);
  if (lockfileVersion < 2) {
    throw new RawcloudError('E_PACKAGE', `${file} has lockfileVersion ${lockfileVersion}; this version carries 2 and 3`, {
      remedy: "Run 'npm install --package-lock-only' with npm 7 or newer, which rewrites it.",
    });
  }
  refuse(file, packages);
  return { file, packages };
}

/** `node_modules/a/node_modules/@b/c` gives `@b/c`. */
export function packageName(directory: string): string {
  const at = directory.lastIndexOf('node_modules/');
  return at === -1 ? directory : directory.slice(at + 'node_modules/'.length);
}

async function parseLockfile(file: string): Promise<v.InferOutput<typeof LockfileSchema>> {
  try {
    return v.parse(LockfileSchema, JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new RawcloudError('E_PACKAGE', `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      remedy: "Delete it and run 'npm install --package-lock-only', which writes it anew.",
      cause,
    });
  }
}

function refuse(file: string, packages: Readonly<Record<string, LockEntry>>): void {
  const entries = Object.entries(packages);
  const local = entries
    .filter(([, entry]) => entry.link || entry.resolved?.startsWith('file:'))
    .map(([at, entry]) => describeLocal(at, entry));
  if (local.length > 0) {
    throw new RawcloudError('E_PACKAGE', `${path.basename(file)} names local packages, which cannot be carried: ${local.join(', ')}`, {
      remedy:
        'Carrying workspaces and file: packages is coming (issue "Environment synchronization"). Until then depend on released versions of them, ' +
        'or start the job in a directory whose package-lock.json names none.',
    });
  }
  const secret = entries.filter(([, entry]) => holdsSecret(entry)).map(([at]) => packageName(at) || 'the project itself');
  if (secret.length > 0) {
    throw new RawcloudError(
      'E_PACKAGE',
      `${path.basename(file)} holds credentials in the URL of: ${secret.join(', ')}; private packages are coming`,
      {
        remedy: 'Depend on them without credentials in the URL, from a public place.',
      },
    );
  }
}

function describeLocal(at: string, entry: LockEntry): string {
  return `${packageName(at)} (${entry.link ? 'linked to' : 'from'} ${entry.resolved ?? 'a directory'})`;
}

/** User names of URLs are secrets too (tokens stand there), but for git's customary one. */
function holdsSecret(entry: LockEntry): boolean {
  const urls = [
    entry.resolved,
    ...[entry.dependencies, entry.devDependencies, entry.optionalDependencies].flatMap((group) => Object.values(group)),
  ];
  return urls.some((url) => /^[a-z+]+:\/\/(?!git@)[^/@\s]+@/i.test(url ?? ''));
}
