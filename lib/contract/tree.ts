import * as v from 'valibot';
import { RefSchema } from './spec';

/*
 * A tree manifest is the content that `spec.environment.tree` names: every entry of the synchronized tree and
 * where its bytes lie. Stored under its own hash in v1/files/, like the packs it points into.
 *
 * Paths are relative to the root, parts joined by '/', in byte order of their encoding, and carried as UTF-8.
 * A name that is no valid UTF-8 (Linux allows any byte) stands as 'latin1' text with `raw: true`.
 */

export const TreeEntrySchema = v.variant('type', [
  v.object({
    type: v.literal('file'),
    path: v.string(),
    raw: v.optional(v.literal(true)),
    executable: v.boolean(),
    bytes: v.number(),
    sha256: v.string(),
  }),
  /** `target` as the link holds it, encoded like the path. */
  v.object({ type: v.literal('link'), path: v.string(), raw: v.optional(v.literal(true)), target: v.string() }),
  v.object({ type: v.literal('directory'), path: v.string(), raw: v.optional(v.literal(true)) }),
]);
export type TreeEntry = v.InferOutput<typeof TreeEntrySchema>;

/** In one object: `v1/files/<packs[pack]>`, `length` stored bytes from `offset`. */
const PackedPlaceSchema = v.object({
  pack: v.number(),
  offset: v.number(),
  length: v.number(),
  encoding: v.picklist(['raw', 'deflate']),
});
export type PackedPlace = v.InferOutput<typeof PackedPlaceSchema>;

/** In several objects, one after the other: `v1/files/<packs[parts[…]]>`, as they are. All but the last have `partBytes`. */
const PartedPlaceSchema = v.object({ parts: v.array(v.number()), partBytes: v.number() });
export type PartedPlace = v.InferOutput<typeof PartedPlaceSchema>;

/** Where a blob's bytes lie. */
export const BlobPlaceSchema = v.union([PackedPlaceSchema, PartedPlaceSchema]);
export type BlobPlace = v.InferOutput<typeof BlobPlaceSchema>;

export const TreeSchema = v.object({
  v: v.literal(1),
  entries: v.array(TreeEntrySchema),
  /** SHA-256 of each object that blobs lie in. */
  packs: v.array(v.string()),
  /** By SHA-256 of the blob's content. */
  blobs: v.record(v.string(), BlobPlaceSchema),
});
export type Tree = v.InferOutput<typeof TreeSchema>;

/**
 * A manifest that names only what differs from another one, so that one changed file does not send the names of all. Its base
 * is a {@link Tree}, never another such. Objects of `packs` come in addition to those of the base.
 */
export const TreeChangeSchema = v.object({
  v: v.literal(1),
  base: RefSchema,
  removed: v.array(v.object({ path: v.string(), raw: v.optional(v.literal(true)) })),
  /** New, or in place of the base's entry of that path. */
  changed: v.array(TreeEntrySchema),
  packs: v.array(v.string()),
  blobs: v.record(v.string(), BlobPlaceSchema),
});
export type TreeChange = v.InferOutput<typeof TreeChangeSchema>;

/** What the directories are called in which a download keeps what has arrived until it is complete. They never travel. */
export const STAGING_PREFIX = '.rawcloud-download-';

/** What a spec names as its tree. */
export const ManifestSchema = v.union([TreeSchema, TreeChangeSchema]);
