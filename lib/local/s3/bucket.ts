import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { encodeJson } from '../../contract';
import { KeyIndex } from './key-index';
import { readRecord } from './object-file';
import { type ObjectRecord, ObjectRecordSchema } from './record';
import { type Staged, Staging } from './staging';
import { Uploads } from './uploads';

export const BucketRecordSchema = v.object({
  v: v.literal(1),
  name: v.string(),
  region: v.string(),
  /** Milliseconds since 1970. */
  createdAt: v.number(),
});
export type BucketRecord = v.InferOutput<typeof BucketRecordSchema>;

export const BUCKET_FILE = 'bucket.json';

/**
 * One bucket: a directory with `bucket.json`, `objects/` (a file per object, named by the hash of its key and a serial),
 * `uploads/` and `staging/`. The index of keys lives in memory and is rebuilt from the files at start.
 * Looking an object up, opening its file, checking a condition and replacing the object are synchronous:
 * that makes each of them one step that nothing comes between.
 */
export class Bucket {
  readonly objects = new KeyIndex<ObjectRecord>();
  readonly staging: Staging;
  readonly uploads: Uploads;
  readonly #fans = new Set<string>();
  #serial = 1;

  constructor(
    readonly directory: string,
    readonly record: BucketRecord,
  ) {
    for (const name of ['objects', 'damaged']) mkdirSync(join(directory, name), { recursive: true });
    // What an earlier process left here was never visible.
    rmSync(join(directory, 'staging'), { recursive: true, force: true });
    mkdirSync(join(directory, 'staging'));
    this.staging = new Staging(join(directory, 'staging'));
    this.uploads = new Uploads(join(directory, 'uploads'));
    this.#load();
  }

  static create(directory: string, record: BucketRecord): Bucket {
    mkdirSync(directory, { recursive: true });
    const draft = join(directory, `${BUCKET_FILE}.new`);
    writeFileSync(draft, encodeJson(record));
    renameSync(draft, join(directory, BUCKET_FILE));
    return new Bucket(directory, record);
  }

  /** File of an object: the hash keeps every key, however odd or long, a short and safe name. */
  pathOf({ key, serial }: Pick<ObjectRecord, 'key' | 'serial'>): string {
    const name = createHash('sha256').update(key).digest('hex');
    return join(this.directory, 'objects', name.slice(0, 2), `${name.slice(2)}.${serial}`);
  }

  nextSerial(): number {
    return this.#serial++;
  }

  /**
   * Makes a sealed body the object, unless `check` throws; one step. The new file stands beside the old one
   * before that goes: a rename over a file makes ext4 write it out at once, which costs more than all the rest.
   */
  commit(staged: Staged, record: ObjectRecord, check: (current: ObjectRecord | undefined) => void): void {
    const current = this.objects.get(record.key);
    check(current);
    const path = this.pathOf(record);
    this.#makeFan(path);
    staged.place(path);
    this.objects.set(record.key, record);
    if (current) rmSync(this.pathOf(current), { force: true });
  }

  /** Removes the object, unless `check` throws; one step. Removing what is not there is no error. */
  remove(key: string, check: (current: ObjectRecord | undefined) => void = () => undefined): void {
    const current = this.objects.get(key);
    check(current);
    if (!current) return;
    this.objects.delete(key);
    rmSync(this.pathOf(current), { force: true });
  }

  async destroy(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  #makeFan(path: string): void {
    const fan = path.slice(0, path.lastIndexOf('/'));
    if (this.#fans.has(fan)) return;
    mkdirSync(fan, { recursive: true });
    this.#fans.add(fan);
  }

  #load(): void {
    const objects = join(this.directory, 'objects');
    for (const fan of readdirSync(objects)) {
      this.#fans.add(join(objects, fan));
      for (const name of readdirSync(join(objects, fan))) this.#loadOne(fan, name);
    }
  }

  #loadOne(fan: string, name: string): void {
    const path = join(this.directory, 'objects', fan, name);
    const record = readRecord(path, ObjectRecordSchema);
    // Only a crash of the whole machine leaves such a file; it is kept where it can be looked at.
    if (!record || this.pathOf(record) !== path) return renameSync(path, join(this.directory, 'damaged', fan + name));
    this.#serial = Math.max(this.#serial, record.serial + 1);
    const other = this.objects.get(record.key);
    const [object, superseded] = other && other.serial > record.serial ? [other, record] : [record, other];
    this.objects.set(record.key, object);
    // The server was killed between the two steps of an overwrite.
    if (superseded) rmSync(this.pathOf(superseded));
  }
}

/** True when a directory holds a bucket. */
export function isBucket(directory: string): boolean {
  return existsSync(join(directory, BUCKET_FILE));
}
