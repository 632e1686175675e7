import { setImmediate as nextTurn } from 'node:timers/promises';
import { bucketKeys, FILE_MARKS } from '../../contract';
import type { BuiltPart, Environment, EnvironmentChunk, EnvironmentPart, Store } from '../../contract';
import { inOrder } from '../in-order';
import { readChunks } from './chunks';
import { encodeChunk } from './codec';
import { encodeEnvironment } from './manifest';
import { Packer } from './packer';
import { lookAtPacks } from './renew';
import type { KeptFile, Snapshot } from './snapshot';

export interface StoreEnvironmentOptions {
  readonly store: Store;
  readonly key: string;
  readonly kind: string;
  readonly snapshot: Snapshot;
  /** What is in none of them becomes one more. */
  readonly parts: readonly BuiltPart[];
  /** An earlier one: what is the same is not sent again. @default - none */
  readonly base?: Environment;
  /** Of the manifest that is to be replaced. @default - there is none */
  readonly over?: string;
  readonly signal?: AbortSignal;
  /** Bytes of files read so far. */
  readonly onProgress?: (done: number) => void;
}

export interface StoredEnvironment {
  readonly environment: Environment;
  /** 'lost': somebody else's manifest was there first; it is as good. */
  readonly manifest: 'stored' | 'lost';
  readonly sentBytes: number;
}

/** Chunks compressed at once: the job has the other cores. */
const ENCODERS = 2;

/**
 * Stores what a snapshot shows: packs first, the manifest last, so that nobody finds half of it.
 * @throws E_FILE_CHANGED when a file is no longer what it was
 */
export async function storeEnvironment(options: StoreEnvironmentOptions): Promise<StoredEnvironment> {
  const { store, key, kind, snapshot, over, signal } = options;
  const parts = listParts(snapshot, options.parts);
  const before = await takeOver(options);
  const kept = before && reusable(before, parts, snapshot.directory);
  const packer = new Packer({ store, key, ...(before && kept ? { base: before } : {}), ...(signal ? { signal } : {}) });
  let done = 0;
  const onRead = (bytes: number): void => options.onProgress?.((done += bytes));
  try {
    const stored: EnvironmentPart[] = [];
    for (const part of parts) {
      const same = kept?.get(part);
      stored.push(same ? reusedPart(packer, same, part) : await storePart(packer, part, options, onRead));
    }
    const environment: Environment = { v: 1, kind, directory: snapshot.directory, packs: await packer.finish(), parts: stored };
    const body = await encodeEnvironment(environment);
    const written = await store.put(bucketKeys.environmentManifest(key), body, {
      if: over === undefined ? 'absent' : { etag: over },
      ...(signal ? { signal } : {}),
    });
    return { environment, manifest: written === 'lost' ? 'lost' : 'stored', sentBytes: packer.sentBytes + body.byteLength };
  } finally {
    await packer.settled();
  }
}

/** A part with what the snapshot shows of it. */
interface ListedPart {
  readonly part: BuiltPart;
  readonly files: readonly KeptFile[];
  readonly links: Snapshot['links'];
  readonly directories: readonly string[];
}

const REST = 'the rest';

function listParts(snapshot: Snapshot, parts: readonly BuiltPart[]): ListedPart[] {
  const owner = new Map(parts.flatMap((part, index) => part.paths.map((path) => [path, index] as const)));
  const rest: BuiltPart = { name: REST, ids: [], paths: [] };
  const listed = [...parts, rest].map((part) => ({
    part,
    files: [] as KeptFile[],
    links: [] as Snapshot['links'][number][],
    directories: [] as string[],
  }));
  const at = (path: string): (typeof listed)[number] => listed[owner.get(path) ?? parts.length]!;
  for (const file of snapshot.files) at(file.path).files.push(file);
  for (const link of snapshot.links) at(link.path).links.push(link);
  for (const directory of snapshot.directories) at(directory).directories.push(directory);
  return listed.filter(({ files, links, directories }) => files.length + links.length + directories.length > 0);
}

/** Links are as they are now: they name the directory of now. */
function reusedPart(packer: Packer, before: EnvironmentPart, { links }: ListedPart): EnvironmentPart {
  return { ...before, links: links.map(({ path, target }) => [path, target]), chunks: before.chunks.map((chunk) => packer.reuse(chunk)) };
}

async function storePart(
  packer: Packer,
  { part, files, links, directories }: ListedPart,
  { snapshot, signal }: StoreEnvironmentOptions,
  onRead: (bytes: number) => void,
): Promise<EnvironmentPart> {
  const chunks: EnvironmentChunk[] = [];
  const rows: EnvironmentPart['files'] = [];
  const read = readChunks(snapshot.directory, files, ({ path, stamp }, marks) => rows.push([path, stamp.size, marks]));
  const encode = async ({ bytes }: { bytes: Buffer }): Promise<{ encoded: Awaited<ReturnType<typeof encodeChunk>>; bytes: number }> => ({
    encoded: await encodeChunk(bytes),
    bytes: bytes.byteLength,
  });
  let number = 0;
  for await (const { encoded, bytes } of inOrder(read, ENCODERS, encode)) {
    const index = number++;
    await packer.add(encoded, bytes, (chunk) => (chunks[index] = chunk));
    onRead(bytes);
    await nextTurn();
    signal?.throwIfAborted();
  }
  return {
    name: part.name,
    ...(part.version === undefined ? {} : { version: part.version }),
    ids: [...part.ids],
    files: rows,
    links: links.map(({ path, target }) => [path, target]),
    directories: [...directories],
    chunks,
  };
}

/** Less than half of its packs is needed: then all is packed anew. */
function isWasteful(packs: Environment['packs'], parts: readonly EnvironmentPart[]): boolean {
  const needed = parts.reduce((sum, { chunks }) => sum + chunks.reduce((bytes, chunk) => bytes + chunk[2], 0), 0);
  return needed * 2 < packs.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Of an earlier environment, what lies in packs that are there and stay there: old ones are made new.
 * @returns undefined when nothing of it is worth keeping
 */
async function takeOver({ store, base, signal }: StoreEnvironmentOptions): Promise<Environment | undefined> {
  if (!base || isWasteful(base.packs, base.parts)) return undefined;
  const isThere = await lookAtPacks(store, base, signal ? { signal } : {});
  return { ...base, parts: base.parts.filter(({ chunks }) => chunks.every(([pack]) => isThere[pack])) };
}

/** Parts that the base has exactly so. @returns undefined when most of the packs that they lie in would be kept for nothing */
function reusable(base: Environment, parts: readonly ListedPart[], directory: string): Map<ListedPart, EnvironmentPart> | undefined {
  const byIds = new Map(base.parts.filter(({ ids }) => ids.length > 0).map((part) => [part.ids.join('\n'), part]));
  const same = new Map<ListedPart, EnvironmentPart>();
  for (const part of parts) {
    const before = byIds.get(part.part.ids.join('\n'));
    // What names the directory that it was built in is only right in an environment of that directory.
    if (before && isSame(before, part) && (base.directory === directory || !namesDirectory(before))) same.set(part, before);
  }
  const used = new Set([...same.values()].flatMap(({ chunks }) => chunks.map(([pack]) => pack)));
  const packs = base.packs.filter((_pack, index) => used.has(index));
  return isWasteful(packs, [...same.values()]) ? undefined : same;
}

function namesDirectory({ files }: EnvironmentPart): boolean {
  return files.some(([, , marks]) => (marks & FILE_MARKS.namesDirectory) !== 0);
}

function isSame(before: EnvironmentPart, { files, links, directories }: ListedPart): boolean {
  const isSameFile = ([path, bytes, marks]: EnvironmentPart['files'][number], { path: now, stamp, executable }: KeptFile): boolean =>
    path === now && bytes === stamp.size && (marks & FILE_MARKS.executable) === (executable ? FILE_MARKS.executable : 0);
  return (
    before.files.length === files.length &&
    before.links.length === links.length &&
    before.directories.length === directories.length &&
    before.files.every((file, i) => isSameFile(file, files[i]!)) &&
    before.links.every(([path], i) => path === links[i]!.path) &&
    before.directories.every((path, i) => path === directories[i])
  );
}
