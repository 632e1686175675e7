import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { canonicalName, unlessMissing } from '../../../contract';
import type { LocalPackage, SourceContent } from '../../../contract';
import { isDirectory, isFile } from '../../executables';
import { needsOf } from './needs';
import { archiveOf } from '../../source-files';
import type { Projects } from './projects';

/** A link of `setup.py develop`, or a directory that a .pth file adds by hand. */
export interface LinkTo {
  readonly name: string;
  readonly version: string;
  readonly record: string;
  readonly directory: string;
}

type Carried =
  { readonly local: LocalPackage; readonly contents: readonly SourceContent[] } | { readonly name: string; readonly why: string };

/** The directory goes on the path of the VM's Python; what `setup.py develop` recorded there is recorded on the VM too. */
export async function carryLink({ name, record, directory }: LinkTo, projects: Projects): Promise<Carried> {
  if (!(await isDirectory(directory))) return { name, why: `points at ${directory}, which is not there any more` };
  const place = await projects.placeOf(directory);
  if (record.endsWith('.pth')) return { local: { kind: 'path', name, place }, contents: [] };
  const info = await eggInfo(directory, name);
  const version = /^Version:[ \t]*(\S+)/m.exec(info?.metadata ?? '')?.[1];
  if (!info || version === undefined) return { name, why: `points at ${directory}, which holds no ${name}.egg-info` };
  if (await isCompiled(directory)) {
    const content = 'archive' in place ? place.archive : await projects.hashOf(directory);
    return {
      local: { kind: 'source', name, version, place, editable: true, needs: await needsOf(directory), content },
      contents: [],
    };
  }
  const distInfo = `${canonicalName(name).replaceAll('-', '_')}-${version}.dist-info`;
  const pth = `site/${canonicalName(name)}.pth`;
  const content = await archiveOf([
    { path: pth, bytes: Buffer.from('{{rawcloud:0}}\n'), executable: false },
    { path: `site/${distInfo}/METADATA`, bytes: Buffer.from(info.metadata), executable: false },
    { path: `site/${distInfo}/entry_points.txt`, bytes: Buffer.from(info.entryPoints), executable: false },
  ]);
  return {
    local: { kind: 'files', name, version, archive: content.sha256, places: [place], rewritten: [pth] },
    contents: [content],
  };
}

async function eggInfo(directory: string, name: string): Promise<{ metadata: string; entryPoints: string } | undefined> {
  const info = (await readdir(directory)).find(
    (entry) => entry.endsWith('.egg-info') && canonicalName(path.basename(entry, '.egg-info')) === canonicalName(name),
  );
  if (info === undefined || !(await isFile(path.join(directory, info, 'PKG-INFO')))) return undefined;
  const read = (file: string): Promise<string> => readFile(path.join(directory, info, file), 'utf8');
  return { metadata: await read('PKG-INFO'), entryPoints: await unlessMissing(read('entry_points.txt'), '') };
}

/** `setup.py develop` leaves what it compiled beside the source. */
async function isCompiled(directory: string): Promise<boolean> {
  const found = await readdir(directory, { recursive: true });
  return found.some((file) => /\.(so|pyd|dylib)$/.test(file));
}
