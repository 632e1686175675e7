import { stat } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError, unlessMissing } from '../../contract';
import { dependenciesOf, readManifest } from './manifest';
import type { Manifest } from './manifest';

/** A package whose source is the developer's own: the project, a workspace, or what one of them links to. */
export interface OwnPackage {
  /** Absolute. */
  readonly directory: string;
  /** Absent for directories that are linked to without being packages. */
  readonly manifest?: Manifest;
}

export interface LocalPackages {
  readonly own: readonly OwnPackage[];
  /** Absolute paths of packed packages. */
  readonly archives: readonly string[];
}

/** `file:../lib`, `link:./x`, `portal:../y`; some managers take bare paths too. */
const PROTOCOL = /^(?:file|link|portal):(?:\/\/(?=[./]))?(.*)$/;
const BARE = /^(?:\.{1,2}|~)?\/|^\.{1,2}$/;

/**
 * Follows what packages link to, and what that links to.
 * @throws E_PACKAGE naming the package whose target is missing, or cannot have a place on a VM
 */
export async function findLocalPackages(start: readonly OwnPackage[], project: string): Promise<LocalPackages> {
  const own = new Map(start.map((found) => [found.directory, found]));
  const archives = new Set<string>();
  const waiting = [...start];
  for (let from = waiting.shift(); from; from = waiting.shift()) {
    for (const link of linksOf(from, project)) {
      const kind = await kindOf(link);
      if (kind === 'archive') archives.add(link.target);
      if (kind === 'archive' || own.has(link.target)) continue;
      const manifest = await readManifest(link.target);
      const found = { directory: link.target, ...(manifest ? { manifest } : {}) };
      own.set(link.target, found);
      waiting.push(found);
    }
  }
  return { own: [...own.values()], archives: [...archives].sort() };
}

interface Link {
  readonly name: string;
  readonly range: string;
  readonly target: string;
  /** package.json that says so. */
  readonly from: string;
}

/** What replaces a dependency counts from the project, wherever it is asked for. */
function linksOf({ directory, manifest }: OwnPackage, project: string): Link[] {
  if (!manifest) return [];
  const from = path.join(directory, 'package.json');
  const replaced = directory === project ? { ...strings(manifest.overrides), ...manifest.resolutions, ...manifest.pnpm.overrides } : {};
  return [...dependenciesOf(manifest, true), ...Object.entries(replaced)].flatMap(([name, range]): Link[] => {
    const at = localPath(range);
    if (at === undefined) return [];
    if (path.isAbsolute(at) || at.startsWith('~')) throw absolute(name, range, from);
    return [{ name, range, from, target: path.resolve(directory, at) }];
  });
}

function strings(overrides: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(overrides).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : [])),
  );
}

function localPath(range: string): string | undefined {
  return PROTOCOL.exec(range)?.[1] ?? (BARE.test(range) ? range : undefined);
}

async function kindOf(link: Link): Promise<'archive' | 'directory'> {
  const found = await unlessMissing(stat(link.target), undefined);
  if (found?.isDirectory()) return 'directory';
  if (found?.isFile()) return 'archive';
  throw new RawcloudError('E_PACKAGE', `${link.name} in ${link.from} is '${link.range}', and there is nothing at ${link.target}`, {
    remedy: 'Bring it back or correct the path, and install again here.',
    data: { packages: [link.name] },
  });
}

function absolute(name: string, range: string, from: string): RawcloudError {
  return new RawcloudError('E_PACKAGE', `${name} in ${from} is '${range}', a path that only this machine has`, {
    remedy: `Write it relative to ${path.dirname(from)}, as file:../${name}, and install again here.`,
    data: { packages: [name] },
  });
}
