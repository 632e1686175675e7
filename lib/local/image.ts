import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';

/** Hash of a Node executable, good while the file is the same. */
const HashSchema = v.object({ path: v.string(), size: v.number(), mtimeMs: v.number(), sha256: v.string() });

/** Hashing 100 MB takes a third of a second: once a process is enough. */
const hashed = new Map<string, Promise<string>>();

/**
 * What every machine finds on its disk from the beginning: with `withNode`, the Node that runs the local cloud, as
 * `opt/rawcloud/node/<sha256>/bin/node`, so that a VM here needs not fetch a copy of what is on the host anyway.
 * @returns the image's directory
 */
export async function prepareImage(stateDir: string, options: { readonly withNode: boolean; readonly node: string }): Promise<string> {
  const image = path.join(stateDir, 'image');
  const nodes = path.join(image, 'opt', 'rawcloud', 'node');
  await rm(nodes, { recursive: true, force: true });
  await mkdir(path.dirname(nodes), { recursive: true, mode: 0o700 });
  if (!options.withNode) return image;
  const bin = path.join(nodes, await nodeHash(stateDir, options.node), 'bin');
  await mkdir(bin, { recursive: true, mode: 0o755 });
  await symlink(options.node, path.join(bin, 'node'));
  return image;
}

async function nodeHash(stateDir: string, node: string): Promise<string> {
  const { size, mtimeMs } = await stat(node);
  const file = path.join(stateDir, 'node-hash.json');
  const stored = v.safeParse(
    HashSchema,
    await readFile(file, 'utf8').then(
      (text): unknown => JSON.parse(text),
      () => undefined,
    ),
  );
  if (stored.success && stored.output.path === node && stored.output.size === size && stored.output.mtimeMs === mtimeMs)
    return stored.output.sha256;
  const key = `${node} ${size} ${mtimeMs}`;
  const hash = hashed.get(key) ?? hashFile(node);
  hashed.set(key, hash);
  const sha256 = await hash;
  await writeFile(`${file}.new`, JSON.stringify({ path: node, size, mtimeMs, sha256 }));
  await rename(`${file}.new`, file);
  return sha256;
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}
