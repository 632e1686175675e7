import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import fc from 'fast-check';
import { fsPath } from '../../lib/contract';
import type { BytePath } from '../../lib/contract';
import { uploadSmallBlobs } from '../../lib/store/blob-upload';
import type { SmallBlob, StoredObject, UploadOptions } from '../../lib/store/blob-upload';
import { writeThing } from '../capture/trees';
import type { Thing } from '../capture/trees';

const textName = fc
  .constantFrom('a', 'b', 'c d', 'é', 'new\nline', '-x', '"q"', '.h', '\\', 'tab\t', '日本', '*')
  .map((name) => Buffer.from(name).toString('latin1'));
const rawName = fc.constantFrom('\xff', 'a\xfe', '\x80\x81');
// macOS has no names but UTF-8.
const name = process.platform === 'linux' ? fc.oneof({ weight: 5, arbitrary: textName }, { weight: 1, arbitrary: rawName }) : textName;

const text = fc.oneof(fc.constant(''), fc.string({ maxLength: 50 }), fc.constantFrom('x', 'long '.repeat(500)));
const thing: fc.Arbitrary<Thing> = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 2, arbitrary: text.map((executable) => ({ executable })) },
  { weight: 2, arbitrary: fc.constantFrom('a', '../b', 'nowhere', '/usr/bin/env').map((link) => ({ link })) },
  { weight: 1, arbitrary: fc.constant<Thing>({ directory: true }) },
);

/** Things at paths none of which is below another. */
export const tree: fc.Arbitrary<ReadonlyMap<BytePath, Thing>> = fc
  .array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 4 }), thing), { maxLength: 15 })
  .map((drawn) => {
    const things = new Map<BytePath, Thing>();
    const directories = new Set<BytePath>();
    for (const [parts, what] of drawn) {
      const path = parts.join('/');
      const above = parts.slice(0, -1).map((_part, index) => parts.slice(0, index + 1).join('/'));
      if (things.has(path) || directories.has(path) || above.some((directory) => things.has(directory))) continue;
      things.set(path, what);
      above.forEach((directory) => directories.add(directory));
    }
    return things;
  });

export function writeAll(root: string, things: ReadonlyMap<BytePath, Thing>): void {
  for (const [path, what] of things) writeThing(root, path, what);
}

/** All that is below a directory: content, exec bit, target of a link, empty directories. */
export function readAll(root: string, path: BytePath = ''): Record<string, string> {
  const found: Record<string, string> = {};
  const names = readdirSync(fsPath(root, path), 'buffer').map((each) => each.toString('latin1'));
  if (names.length === 0 && path !== '') found[path] = 'empty directory';
  for (const each of names) {
    const at = path === '' ? each : `${path}/${each}`;
    const stats = lstatSync(fsPath(root, at));
    if (stats.isDirectory()) Object.assign(found, readAll(root, at));
    else if (stats.isSymbolicLink()) found[at] = `link ${readlinkSync(fsPath(root, at))}`;
    else found[at] = `${(stats.mode & 0o111) === 0 ? 'file' : 'executable'} ${readFileSync(fsPath(root, at), 'latin1')}`;
  }
  return found;
}

/** Uploads, and tells what was stored. */
export async function storeBlobs(blobs: Iterable<SmallBlob>, options: UploadOptions): Promise<StoredObject[]> {
  const all: StoredObject[] = [];
  await uploadSmallBlobs(blobs, { ...options, onStored: (stored) => void all.push(stored) });
  return all;
}
