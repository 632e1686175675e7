import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hasCode, mapBounded } from '../../../contract';
import type { CaptureContext, LocalPackage, SourceContent } from '../../../contract';
import { isDirectory } from '../../executables';
import { contentOf } from '../../layer';
import type { Origin, RefusalReason, Requirement } from '../requirement';
import { carryInstalled } from './installed';
import { carryLink } from './link';
import { needsOf } from './needs';
import { Projects } from './projects';
import { readInstallRecord } from './record';
import type { InstallRecord } from './record';
import { checkoutOf } from './repository';
import { platformsOf } from './wheel-name';

type Local = Extract<Requirement, { kind: 'local' }>;
type Refused = Extract<Requirement, { kind: 'refused' }>;

export interface CarriedLocals {
  readonly local: readonly LocalPackage[];
  /** Those that a VM can fetch by itself, as requirement lines. */
  readonly lines: readonly string[];
  readonly contents: readonly SourceContent[];
  readonly refused: readonly Refused[];
}

type Carried =
  { readonly local: LocalPackage; readonly contents: readonly SourceContent[] } | { readonly line: string } | { readonly refused: Refused };

/** Packages at once: each reads files. */
const CONCURRENCY = 4;

/**
 * Packages that no index gives. What is pure Python travels as it is installed; what was compiled for this machine is built
 * again on the VM from its source; wheels travel as they are.
 */
export async function carryLocals(locals: readonly Local[], context: CaptureContext): Promise<CarriedLocals> {
  const projects = new Projects(context);
  const read = await mapBounded(locals, CONCURRENCY, async (local) => ({ ...local, installed: await recordOf(local) }));
  const owned = new Set(read.flatMap(({ record, installed }) => pathFilesOf(record, installed)));
  // The .pth file of an editable install travels with it.
  const own = read.filter(({ record }) => !owned.has(record));
  const all = await mapBounded(own, CONCURRENCY, (local) => carry(local, projects, context));
  const contents = all.flatMap((carried) => ('local' in carried ? carried.contents : []));
  return {
    local: all.flatMap((carried) => ('local' in carried ? [carried.local] : [])).sort((a, b) => (a.name < b.name ? -1 : 1)),
    lines: all.flatMap((carried) => ('line' in carried ? [carried.line] : [])),
    contents: [...contents, ...projects.contents],
    refused: all.flatMap((carried) => ('refused' in carried ? [carried.refused] : [])),
  };
}

async function recordOf({ record }: Local): Promise<InstallRecord | undefined> {
  return record.endsWith('.dist-info') ? readInstallRecord(record) : undefined;
}

function pathFilesOf(record: string, installed: InstallRecord | undefined): string[] {
  return (installed?.files ?? []).filter((file) => /^[^/]+\.pth$/.test(file)).map((file) => path.join(path.dirname(record), file));
}

type Read = Local & { readonly installed: InstallRecord | undefined };

async function carry(local: Read, projects: Projects, context: CaptureContext): Promise<Carried> {
  const { name, version, record, origin, installed } = local;
  if (origin.kind === 'link') return orRefused(await carryLink({ name, version, record, directory: origin.path }, projects));
  if (origin.kind === 'directory' && origin.editable) return carryEditable(local, origin.path, projects);
  if (installed?.pure) return only(await carryInstalled({ name, version, record, installed }, projects));
  switch (origin.kind) {
    case 'directory':
      return build(local, origin.path, { editable: false }, projects);
    case 'file':
      return carryFile(local, origin, context);
    case 'repository':
      return carryRepository(local, origin, context);
    case 'remote':
      return { line: origin.line };
    case 'unreachable':
      return refuse(name, 'private', `${origin.why}, and it is not pure Python, so that it cannot travel as it is installed here`);
  }
}

async function carryEditable(local: Read, project: string, projects: Projects): Promise<Carried> {
  const { name, version, record, installed } = local;
  if (!(await isDirectory(project))) return refuse(name, 'gone', `an editable install of ${project}, which is not there any more`);
  if (!installed) return refuse(name, 'damaged', `${record} does not list the files of this editable install`);
  if (!installed.pure) return build(local, project, { editable: true }, projects);
  return only(await carryInstalled({ name, version, record, installed, project }, projects));
}

async function build(
  { name, version }: Local,
  directory: string,
  { editable }: { editable: boolean },
  projects: Projects,
): Promise<Carried> {
  if (!(await isDirectory(directory))) return refuse(name, 'gone', `compiled here from ${directory}, which is not there any more`);
  const place = await projects.placeOf(directory);
  const content = 'archive' in place ? place.archive : await projects.hashOf(directory);
  const needs = await needsOf(directory);
  return { local: { kind: 'source', name, version, place, editable, needs, content }, contents: [] };
}

async function carryFile({ name, version }: Local, origin: Extract<Origin, { kind: 'file' }>, context: CaptureContext): Promise<Carried> {
  const file = path.basename(origin.path);
  const bytes = await readFile(origin.path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (!bytes) return refuse(name, 'gone', `installed from ${origin.path}, which is not there any more`);
  const content = contentOf(bytes);
  if (origin.sha256 !== undefined && origin.sha256 !== content.sha256)
    return refuse(name, 'gone', `installed from ${origin.path}, which is another file by now`);
  const fits = platformsOf(file);
  if (fits && !fits.includes(context.platform)) {
    return refuse(
      name,
      'platform',
      `installed from ${file}, which is made for ${fits.join(', ') || 'another system'}, not ${context.platform}`,
    );
  }
  const needs = file.endsWith('.whl') ? {} : { needs: 'c' as const };
  return { local: { kind: 'file', name, version, file, content: content.sha256, ...needs }, contents: [content] };
}

async function carryRepository(
  { name, version }: Local,
  { path: repository, commit, subdirectory = '' }: Extract<Origin, { kind: 'repository' }>,
  context: CaptureContext,
): Promise<Carried> {
  const content = await checkoutOf(repository, commit, context);
  if (!content)
    return refuse(name, 'gone', `compiled from commit ${commit.slice(0, 12)} of ${repository}, which git does not give any more`);
  const place = { archive: content.sha256, path: subdirectory };
  return {
    local: { kind: 'source', name, version, place, editable: false, needs: 'c', content: content.sha256 },
    contents: [content],
  };
}

function only({ local, content }: { local: LocalPackage; content: SourceContent }): Carried {
  return { local, contents: [content] };
}

function orRefused(carried: Awaited<ReturnType<typeof carryLink>>): Carried {
  return 'why' in carried ? refuse(carried.name, 'gone', carried.why) : carried;
}

function refuse(name: string, reason: RefusalReason, why: string): { refused: Refused } {
  return { refused: { kind: 'refused', name, reason, why } };
}
