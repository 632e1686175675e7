import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { mapBounded, unlessMissing } from '../../../contract';
import type { LocalPackage, Place, SourceContent } from '../../../contract';
import { isDirectory } from '../../executables';
import type { TarFile } from '../../tar';
import { archiveOf, relativeInside } from '../../source-files';
import type { Projects } from './projects';
import type { InstallRecord } from './record';

/** An installed package whose files are to travel. */
export interface Installed {
  readonly name: string;
  readonly version: string;
  /** Its dist-info directory. */
  readonly record: string;
  readonly installed: InstallRecord;
  /** Directory that an editable install points at. */
  readonly project?: string;
}

const READS = 16;

/** What tools keep for themselves, and what names paths of this machine. */
const LEFT_OUT = /\.dist-info\/(RECORD|REQUESTED|uv_build\.json|uv_cache\.json|direct_url\.json)$/;

/** What build back ends write though nobody committed it: without it the package may not even be imported. */
const GENERATED = /^_{0,2}(git_)?version(_info)?(_{2})?\.py$/;
const NOT_SOURCE = new Set(['node_modules', '__pycache__', 'build', 'dist']);
const DEEPEST = 4;

/**
 * The files of an installed package as they are, which is as exact as can be and needs neither build tools nor an index on
 * the VM. Those of an editable install name places, which the VM fills in.
 */
export async function carryInstalled(
  packageOf: Installed,
  projects: Projects,
): Promise<{ local: Extract<LocalPackage, { kind: 'files' }>; content: SourceContent }> {
  const { name, version, record, installed, project } = packageOf;
  const site = path.dirname(record);
  const files = await readFiles(site, installed);
  const places = new Places(projects);
  const rewritten: string[] = [];
  if (project !== undefined) {
    await places.add(project);
    for (const [at, file] of files.entries()) {
      if (!/^site\/[^/]+\.(pth|py)$/.test(file.path)) continue;
      const text = await places.mark(Buffer.from(file.bytes).toString());
      if (text === undefined) continue;
      files[at] = { ...file, bytes: Buffer.from(text) };
      rewritten.push(file.path);
    }
    files.push(...(await generatedIn(project)));
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const content = await archiveOf(files);
  return {
    local: { kind: 'files', name, version, archive: content.sha256, places: places.all, rewritten: rewritten.sort() },
    content,
  };
}

async function readFiles(site: string, { files, entryPoints }: InstallRecord): Promise<TarFile[]> {
  const prefix = path.resolve(site, '..', '..', '..');
  const read = await mapBounded(
    files.filter((file) => !LEFT_OUT.test(file)),
    READS,
    async (file): Promise<TarFile[]> => {
      const where = path.resolve(site, file);
      const target = targetOf(where, site, prefix, entryPoints);
      const found = target === undefined ? undefined : await unlessMissing(stat(where), undefined);
      if (target === undefined || !found?.isFile()) return [];
      return [{ path: target, bytes: await readFile(where), executable: (found.mode & 0o100) !== 0 }];
    },
  );
  return read.flat();
}

function targetOf(file: string, site: string, prefix: string, entryPoints: ReadonlySet<string>): string | undefined {
  const inSite = relativeInside(site, file);
  if (inSite !== undefined) return `site/${inSite}`;
  const inPrefix = relativeInside(prefix, file);
  if (inPrefix === undefined) return undefined;
  const script = /^(?:bin|Scripts)\/([^/]+)$/.exec(inPrefix)?.[1];
  if (script === undefined) return `data/${inPrefix}`;
  return entryPoints.has(script.replace(/(-script\.pyw?|\.exe)$/, '')) ? undefined : `scripts/${script}`;
}

/** Directories that a text names, as the VM will find them. */
class Places {
  readonly #found: { readonly directory: string; readonly place: Place }[] = [];

  constructor(private readonly projects: Projects) {}

  get all(): Place[] {
    return this.#found.map(({ place }) => place);
  }

  async add(directory: string): Promise<void> {
    const place = await this.projects.placeOf(directory);
    for (const spelling of new Set([directory, await realpath(directory)])) this.#found.push({ directory: spelling, place });
  }

  /** @returns undefined when the text names none */
  async mark(text: string): Promise<string | undefined> {
    let marked = this.#replace(text);
    // A line of a .pth may lead elsewhere than to the project itself.
    for (const [line] of marked.matchAll(/^\/.*$/gm)) {
      if (await isDirectory(line.trimEnd())) await this.add(line.trimEnd());
    }
    marked = this.#replace(marked);
    return marked === text ? undefined : marked;
  }

  #replace(text: string): string {
    const byLength = [...this.#found.entries()].sort(([, a], [, b]) => b.directory.length - a.directory.length);
    return byLength.reduce((result, [at, { directory }]) => result.replaceAll(whole(directory), `{{rawcloud:${at}}}`), text);
  }
}

/** The path, and not the beginning of another one. */
function whole(directory: string): RegExp {
  return new RegExp(`${directory.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?=[/'"\\r\\n]|$)`, 'g');
}

async function generatedIn(project: string): Promise<TarFile[]> {
  const found: TarFile[] = [];
  const look = async (directory: string, depth: number): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true });
    if (entries.some(({ name }) => name === 'pyvenv.cfg')) return;
    for (const entry of entries) {
      const file = path.join(directory, entry.name);
      if (entry.isFile() && GENERATED.test(entry.name)) {
        found.push({ path: `overlay/${relativeInside(project, file)}`, bytes: await readFile(file), executable: false });
      }
      const goesOn = entry.isDirectory() && !entry.name.startsWith('.') && !NOT_SOURCE.has(entry.name) && depth < DEEPEST;
      if (goesOn) await look(file, depth + 1);
    }
  };
  await look(project, 0);
  return found;
}
