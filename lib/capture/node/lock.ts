import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError } from '../../contract';
import type { NodeManager } from '../../contract';

/** What a lockfile tells, whichever manager wrote it. */
export interface Lock {
  readonly file: string;
  readonly manager: NodeManager;
  /** Of the lockfile's form, as it says itself: `3`, `9.0`, `v1`. */
  readonly format: string;
  /** Versions of the manager that read this form, as a semver range. */
  readonly managers: string;
  /** Packages that an install brings, with or without development ones; undefined where only the manager knows. */
  readonly counts: { readonly all: number; readonly production?: number };
  /** What was asked when it was made, by directory of the package that asked (relative to the lockfile, '' the project), then by name. */
  readonly asked?: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Where it only keeps what each demand led to: whether it knows one. */
  readonly knows?: (name: string, range: string) => boolean;
  /** Names of development packages and programs that they bring, as far as it tells. */
  readonly developmentTools: ReadonlySet<string>;
  /** Addresses that it holds, by the package that is there. */
  readonly addresses: readonly (readonly [name: string, url: string])[];
}

/** How a lockfile is written anew, for remedies. */
export const RELOCK: Readonly<Record<NodeManager, string>> = {
  npm: 'npm install --package-lock-only',
  pnpm: 'pnpm install --lockfile-only',
  yarn: 'yarn install',
  bun: 'bun install --lockfile-only',
};

/** Reads and parses. @throws E_PACKAGE naming file and manager */
export async function parseLock<T>(file: string, manager: NodeManager, parse: (text: string) => T): Promise<T> {
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new RawcloudError('E_PACKAGE', `${file} cannot be read: ${firstLine(cause)}`, {
      remedy: `Bring it back from version control, or delete it and run '${RELOCK[manager]}', which writes it anew.`,
      cause,
    });
  }
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!;
}

/** @throws E_PACKAGE for a form that no manager we know of would read */
export function unknownFormat(file: string, format: string, known: string, remedy: string): RawcloudError {
  return new RawcloudError('E_PACKAGE', `${file} has the lockfile version ${format}; this version carries ${known}`, { remedy });
}

/** Own packages are named by their directory: `packages/a`; the project is ''. */
export function ownDirectory(name: string): string {
  const normal = path.posix.normalize(name);
  return normal === '.' ? '' : normal.replace(/\/$/, '');
}
