import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJson } from '../../contract';
import { ServiceError } from '../service';
import { Bucket, BUCKET_FILE, BucketRecordSchema, isBucket } from './bucket';
import { s3Errors } from './errors';

/** All buckets of the local cloud: one directory each, named as the bucket. */
export class Buckets {
  readonly #directory: string;
  readonly #buckets = new Map<string, Bucket>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name);
      if (!isBucket(path)) continue;
      const record = decodeJson(BucketRecordSchema, readFileSync(join(path, BUCKET_FILE)), `the record of bucket ${name}`);
      this.#buckets.set(name, new Bucket(path, record));
    }
  }

  /** @throws ServiceError NoSuchBucket */
  get(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket) return bucket;
    throw s3Errors.noSuchBucket(name);
  }

  find(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  /** By name. */
  all(): readonly Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.record.name < b.record.name ? -1 : 1));
  }

  /** @throws ServiceError InvalidBucketName */
  create(name: string, region: string, createdAt: number): Bucket {
    const bucket = Bucket.create(join(this.#directory, checkBucketName(name)), { v: 1, name, region, createdAt });
    this.#buckets.set(name, bucket);
    return bucket;
  }

  async remove(name: string): Promise<void> {
    const bucket = this.get(name);
    this.#buckets.delete(name);
    await bucket.destroy();
  }
}

/** Source: S3 user guide, "Bucket naming rules". Keeps names safe as directory names, too. */
function checkBucketName(name: string): string {
  const valid = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(name);
  if (!valid) throw new ServiceError(400, 'InvalidBucketName', 'The specified bucket is not valid.', { BucketName: name });
  return name;
}
