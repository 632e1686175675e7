import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJson, encodeJson } from '../../contract';
import { readRecord } from './object-file';
import { type PartRecord, PartRecordSchema, type UploadRecord, UploadRecordSchema } from './record';
import type { Staged } from './staging';

const UPLOAD_FILE = 'upload.json';

/** An upload in parts that is neither complete nor aborted. */
export interface Upload {
  readonly record: UploadRecord;
  readonly parts: ReadonlyMap<number, PartRecord>;
}

/** The uploads of a bucket: a directory each, with `upload.json` and a file per part in the form of object files. */
export class Uploads {
  readonly #directory: string;
  readonly #uploads = new Map<string, { record: UploadRecord; parts: Map<number, PartRecord> }>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    for (const uploadId of readdirSync(directory)) this.#load(uploadId);
  }

  create(record: Omit<UploadRecord, 'v' | 'uploadId'>): string {
    const uploadId = randomBytes(48).toString('base64url');
    const whole: UploadRecord = { v: 1, uploadId, ...record };
    const draft = join(this.#directory, `.${uploadId}`);
    mkdirSync(draft);
    writeFileSync(join(draft, UPLOAD_FILE), encodeJson(whole));
    renameSync(draft, join(this.#directory, uploadId));
    this.#uploads.set(uploadId, { record: whole, parts: new Map() });
    return uploadId;
  }

  /** The upload of that id and key. */
  find(uploadId: string, key: string): Upload | undefined {
    const upload = this.#uploads.get(uploadId);
    return upload?.record.key === key ? upload : undefined;
  }

  all(): readonly Upload[] {
    return [...this.#uploads.values()];
  }

  /** Puts a sealed part in place, over an earlier one of that number. The upload must be there. */
  addPart(uploadId: string, staged: Staged, part: PartRecord): void {
    staged.place(this.partPath(uploadId, part.number));
    this.#uploads.get(uploadId)?.parts.set(part.number, part);
  }

  partPath(uploadId: string, number: number): string {
    return join(this.#directory, uploadId, String(number));
  }

  remove(uploadId: string): void {
    this.#uploads.delete(uploadId);
    // First, so that a removal that is cut short is finished at the next start.
    rmSync(join(this.#directory, uploadId, UPLOAD_FILE), { force: true });
    rmSync(join(this.#directory, uploadId), { recursive: true, force: true });
  }

  #load(uploadId: string): void {
    const directory = join(this.#directory, uploadId);
    // Made, but not yet answered for.
    if (uploadId.startsWith('.')) return rmSync(directory, { recursive: true });
    const names = readdirSync(directory);
    // Without it, the removal of the upload was under way.
    if (!names.includes(UPLOAD_FILE)) return rmSync(directory, { recursive: true });
    const record = decodeJson(UploadRecordSchema, readFileSync(join(directory, UPLOAD_FILE)), 'the record of an upload');
    const parts = names.filter((n) => n !== UPLOAD_FILE).flatMap((n) => readRecord(join(directory, n), PartRecordSchema) ?? []);
    this.#uploads.set(uploadId, { record, parts: new Map(parts.map((p) => [p.number, p])) });
  }
}
