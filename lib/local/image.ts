import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
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
  const bin = path.dirname(nodeOnImage(stateDir, await nodeHash(stateDir, options.node)));
  await mkdir(bin, { recursive: true, mode: 0o755 });
  await symlink(options.node, path.join(bin, 'node'));
  return image;
}

/** What the image holds of an executable of the host; undefined when a VM would not find it there. */
export async function shippedNode(
  stateDir: string,
  node: string,
): Promise<{ readonly sha256: string; readonly bytes: number } | undefined> {
  const sha256 = await storedHash(stateDir, node);
  if (sha256 === undefined || !existsSync(nodeOnImage(stateDir, sha256))) return undefined;
  return { sha256, bytes: (await stat(node)).size };
}

function nodeOnImage(stateDir: string, sha256: string): string {
  return path.join(stateDir, 'image', 'opt', 'rawcloud', 'node', sha256, 'bin', 'node');
}

function hashFileOf(stateDir: string): string {
  return path.join(stateDir, 'node-hash.json');
}

async function storedHash(stateDir: string, node: string): Promise<string | undefined> {
  const { size, mtimeMs } = await stat(node);
  const text = await readFile(hashFileOf(stateDir), 'utf8').catch(() => 'null');
  const stored = v.safeParse(v.pipe(v.string(), v.parseJson(), HashSchema), text);
  if (!stored.success) return undefined;
  const { output: known } = stored;
  return known.path === node && known.size === size && known.mtimeMs === mtimeMs ? known.sha256 : undefined;
}

async function nodeHash(stateDir: string, node: string): Promise<string> {
  const stored = await storedHash(stateDir, node);
  if (stored !== undefined) return stored;
  const { size, mtimeMs } = await stat(node);
  const key = `${node} ${size} ${mtimeMs}`;
  const hash = hashed.get(key) ?? hashFile(node);
  hashed.set(key, hash);
  const sha256 = await hash;
  const file = hashFileOf(stateDir);
  await writeFile(`${file}.new`, JSON.stringify({ path: node, size, mtimeMs, sha256 }));
  await rename(`${file}.new`, file);
  return sha256;
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}
