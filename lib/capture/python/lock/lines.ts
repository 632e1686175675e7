import { RawcloudError } from '../../../contract';
import { hasCredentials } from '../requirement';
import { hashesFor } from './hashes';
import type { Target } from './hashes';
import type { LockedPackage } from './model';

/** How locked packages are asked for on the VM. */
export interface LockedLines {
  /** Sorted. */
  readonly lines: readonly string[];
  /** Names of packages whose lockfile says which index has them, with its URL as it stands there. */
  readonly indexes: Readonly<Record<string, string>>;
}

/** What every installer asks by itself. */
const DEFAULT_INDEXES = new Set(['https://pypi.org/simple', 'https://pypi.python.org/simple']);

/**
 * Packages of a lockfile as requirement lines with the hashes that fit the target. Directories and files have none.
 * @throws E_PACKAGE naming what a VM cannot fetch
 */
export function linesOf(packages: readonly LockedPackage[], file: string, target: Target): LockedLines {
  const indexes: Record<string, string> = {};
  const lines = packages.flatMap((found) => {
    const index = indexOf(found);
    if (index !== undefined) indexes[found.name] = index;
    return lineOf(found, file, target) ?? [];
  });
  return { lines: lines.sort(), indexes };
}

function lineOf({ name, version, origin, files }: LockedPackage, file: string, target: Target): string | undefined {
  switch (origin.kind) {
    case 'index':
      return withHashes(`${name}==${version}`, hashesFor(files, target));
    case 'git':
      checkReachable(name, origin.url, file);
      return `${name} @ git+${origin.url}@${origin.commit}${origin.subdirectory ? `#subdirectory=${origin.subdirectory}` : ''}`;
    case 'url':
      checkReachable(name, origin.url, file);
      return withHashes(`${name} @ ${origin.url}`, hashesFor(files, target));
    default:
      return undefined;
  }
}

/** The line of an installed package with the hashes that a lockfile has for it. */
export function lineWithHashes(line: string, { files }: LockedPackage, target: Target): string {
  return withHashes(line, hashesFor(files, target));
}

/** The index that a lockfile names, unless every installer asks it by itself. */
export function indexOf({ origin }: LockedPackage): string | undefined {
  if (origin.kind !== 'index' || origin.url === undefined) return undefined;
  return DEFAULT_INDEXES.has(origin.url.replace(/\/+$/, '')) ? undefined : origin.url;
}

function withHashes(line: string, hashes: readonly string[]): string {
  return [line, ...hashes.map((hash) => `--hash=${hash}`)].join(' ');
}

function checkReachable(name: string, place: string, file: string): void {
  const url = URL.canParse(place) ? new URL(place) : undefined;
  if (/^https?:$/.test(url?.protocol ?? '') && url && !hasCredentials(url)) return;
  const where = url ? (url.protocol === 'file:' ? 'a directory of this machine' : `${url.protocol}//${url.host}`) : 'a path';
  throw new RawcloudError('E_PACKAGE', `${name} of ${file} comes from ${where}, which a VM cannot reach or needs credentials for`, {
    remedy: 'Install it here, so that it travels as it is installed (--packages installed), or take a release of it from an index.',
    data: { package: name },
  });
}
