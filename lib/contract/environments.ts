import { createHash, createHmac } from 'node:crypto';
import * as v from 'valibot';

/*
 * The environment cache: what a builder made of a layer, kept in the bucket for other VMs. How it is used, and why nobody can
 * poison another owner's: `docs/environments.md`.
 *
 * An environment is its manifest and packs. A pack is chunks, one after the other; a chunk is up to 4 MiB of the files of one
 * part, in the order of the manifest, compressed by itself, so that chunks are fetched, checked, inflated and written
 * independently of one another. Parts (a distribution of Python, a package of Node) begin with a chunk of their own: so an
 * environment that differs in one package shares the packs of all others with the one before.
 *
 * Paths are relative to the layer's directory, one character for each byte ({@link BytePath}).
 */

/** How chunks are compressed. A Node without `zstd` neither writes nor reads it. */
export const ChunkEncodingSchema = v.picklist(['raw', 'deflate', 'zstd']);
export type ChunkEncoding = v.InferOutput<typeof ChunkEncodingSchema>;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** One chunk: number of its pack, first byte and length there, length of its content, SHA-256 of the stored bytes. */
const ChunkSchema = v.strictTuple([Count, Count, Count, Count, ChunkEncodingSchema, v.string()]);
export type EnvironmentChunk = v.InferOutput<typeof ChunkSchema>;

/** Marks of a file, added up. */
export const FILE_MARKS = { executable: 1, namesDirectory: 2 } as const;

export const EnvironmentPartSchema = v.object({
  /** For people: `numpy`. */
  name: v.string(),
  /** Present for what counts as a package. */
  version: v.optional(v.string()),
  /** What of the recipe it answers; a later environment that asks for all of it may take it over. None: it may not. */
  ids: v.array(v.string()),
  /** Path, bytes, {@link FILE_MARKS}. */
  files: v.array(v.strictTuple([v.string(), Count, Count])),
  /** Path and target; what leads into the layer's directory by an absolute path leads into the new one when restored. */
  links: v.array(v.strictTuple([v.string(), v.string()])),
  /** Empty ones. */
  directories: v.array(v.string()),
  chunks: v.array(ChunkSchema),
});
export type EnvironmentPart = v.InferOutput<typeof EnvironmentPartSchema>;

/** `v1/environments/<key>/manifest`, deflated: written last, so whoever finds it finds all. */
export const EnvironmentSchema = v.object({
  v: v.literal(1),
  kind: v.string(),
  /** Absolute path of the layer's directory where it was built: texts and links that name it are changed when they are restored elsewhere. */
  directory: v.string(),
  /** Where each pack lies: `<key of an environment>/<SHA-256>`. Those of an earlier environment of the same owner may be among them. */
  packs: v.array(v.object({ name: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}\/[0-9a-f]{64}$/)), bytes: Count })),
  parts: v.array(EnvironmentPartSchema),
});
export type Environment = v.InferOutput<typeof EnvironmentSchema>;

/** `v1/environments/<key>/lease`: a VM builds this environment, and renews the record while it does. Others wait. */
export const EnvironmentLeaseSchema = v.object({
  v: v.literal(1),
  vm: v.string(),
  nonce: v.string(),
  /** 'over': it is not being built any more, well or not. */
  state: v.picklist(['building', 'over']),
});
export type EnvironmentLease = v.InferOutput<typeof EnvironmentLeaseSchema>;

/** `v1/environments/<key>/last`: the last environment of a project, which the next one may take parts from. */
export const LastEnvironmentSchema = v.object({ v: v.literal(1), key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) });

/**
 * `v1/environments/<key>/use`: what people are told of an environment. Written by VMs that use it, once a day, and for each project once: so
 * its age says when it was used last. Nothing that VMs do rests on it.
 */
export const EnvironmentUseSchema = v.object({
  v: v.literal(1),
  kind: v.string(),
  platform: v.string(),
  packages: Count,
  /** Of its files, and of its chunks as they are stored. */
  bytes: Count,
  storedBytes: Count,
  /** Milliseconds since 1970. */
  builtAt: v.number(),
  /** {@link environmentMark} of whose it is. */
  owner: v.string(),
  /** {@link environmentMark}s of the projects that use it, the last one first. */
  projects: v.array(v.string()),
  /** {@link environmentId}s of other environments in whose packs a part of it lies. */
  packsOf: v.array(v.string()),
});
export type EnvironmentUse = v.InferOutput<typeof EnvironmentUseSchema>;

/** @returns undefined for what another version wrote: it tells nothing, and the next VM writes it anew */
export function readEnvironmentUse(body: Uint8Array): EnvironmentUse | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), EnvironmentUseSchema), Buffer.from(body).toString());
  return parsed.success ? parsed.output : undefined;
}

/** How often a VM notes that it uses an environment, at most. */
export const USE_NOTED_EVERY_MS = 24 * 3_600_000;

/** What people call an environment: its key, which is a capability of VMs, cannot be told from it. */
export function environmentId(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 10);
}

/** What only its owner recognizes. */
export function environmentMark(secret: string, what: 'owner' | 'project', name = ''): string {
  return createHmac('sha256', Buffer.from(secret, 'hex'))
    .update(JSON.stringify(['mark', what, name]))
    .digest('hex')
    .slice(0, 16);
}

/** `v1/sealed/environments/<owner>`: made once, readable by drivers. Secret. */
export const EnvironmentSecretSchema = v.object({ v: v.literal(1), secret: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) });

/** What a VM needs to use the cache; part of the sealed object and of the grant. Secret. */
export const EnvironmentCacheSchema = v.object({
  /** 32 bytes in hex: keys of environments are made with it. */
  secret: v.string(),
  /** Whose last environment is looked at for what is the same. */
  project: v.string(),
  /** Build anew, whatever there is, and put the result in its place. @default false */
  rebuild: v.optional(v.boolean()),
});
export type EnvironmentCache = v.InferOutput<typeof EnvironmentCacheSchema>;
