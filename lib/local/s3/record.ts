import * as v from 'valibot';
import { CHECKSUM_NAMES } from '../checksums';

/** What is stored beside an object's bytes. */
export const ObjectRecordSchema = v.object({
  v: v.literal(1),
  key: v.string(),
  /** Rises with every write to the bucket: of two files of one key the one with the higher serial is the object. */
  serial: v.number(),
  bytes: v.number(),
  /** MD5 in hex, with `-<parts>` behind it for what came in parts; without quotes. */
  etag: v.string(),
  /** Milliseconds since 1970, whole seconds: S3 tells no finer. */
  modified: v.number(),
  /** Content-Type and the like, and `x-amz-meta-*`, as they are given back. */
  headers: v.record(v.string(), v.string()),
  /** Base64 by algorithm. */
  checksums: v.optional(v.record(v.picklist(CHECKSUM_NAMES), v.string()), {}),
  checksumType: v.optional(v.picklist(['FULL_OBJECT', 'COMPOSITE'])),
});
export type ObjectRecord = v.InferOutput<typeof ObjectRecordSchema>;
/** An object before its write is committed. */
export type NewObject = Omit<ObjectRecord, 'serial'>;

/** A part of an upload that is not complete. */
export const PartRecordSchema = v.object({
  v: v.literal(1),
  number: v.number(),
  bytes: v.number(),
  etag: v.string(),
  modified: v.number(),
  checksums: v.optional(v.record(v.picklist(CHECKSUM_NAMES), v.string()), {}),
});
export type PartRecord = v.InferOutput<typeof PartRecordSchema>;

/** An upload in parts. */
export const UploadRecordSchema = v.object({
  v: v.literal(1),
  key: v.string(),
  uploadId: v.string(),
  initiated: v.number(),
  headers: v.record(v.string(), v.string()),
  checksum: v.optional(v.object({ name: v.picklist(CHECKSUM_NAMES), type: v.picklist(['FULL_OBJECT', 'COMPOSITE']) })),
});
export type UploadRecord = v.InferOutput<typeof UploadRecordSchema>;
