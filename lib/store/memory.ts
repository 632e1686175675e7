import { createHash } from 'node:crypto';
import { absentError, RawcloudError } from '../contract';
import type { ByteRange, Store, StoreEntry, StoreObject } from '../contract';
import { sha256Of } from './sha256';

interface Held {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly modified: number;
}

/**
 * The store in memory: the same promises as S3 (conditional writes, ETags, the store's own clock at a resolution of one
 * second), nothing kept. For tests and dry runs.
 */
export function createMemoryStore({ now }: { now: () => number }): Store {
  const held = new Map<string, Held>();
  const requests = { put: 0, get: 0 };
  // S3 tells times in whole seconds.
  const second = (): number => Math.floor(now() / 1000) * 1000;
  const keep = (key: string, body: Uint8Array): string => {
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    held.set(key, { body: Uint8Array.from(body), etag, modified: second() });
    return etag;
  };
  return {
    requests,
    async get(key, options = {}) {
      requests.get += 1;
      options.signal?.throwIfAborted();
      const found = held.get(key);
      if (!found) return 'absent';
      if (options.ifNoneMatch === found.etag) return 'unchanged';
      const body = options.range ? cut(found.body, options.range) : found.body;
      return { body, etag: found.etag, modified: found.modified, now: second() } satisfies StoreObject;
    },
    async put(key, body, options = {}) {
      requests.put += 1;
      options.signal?.throwIfAborted();
      const found = held.get(key);
      if (options.if === 'absent' && found) return 'lost';
      if (typeof options.if === 'object' && options.if.etag !== found?.etag) return 'lost';
      if (options.sha256 !== undefined && options.sha256 !== sha256Of(body)) throw wrongHash(key);
      return { etag: keep(key, body), now: second() };
    },
    async putStream(key, source, options = {}) {
      requests.put += 1;
      const chunks: Uint8Array[] = [];
      for await (const chunk of source) chunks.push(Uint8Array.from(chunk));
      options.signal?.throwIfAborted();
      return { etag: keep(key, Buffer.concat(chunks)) };
    },
    async *getStream(key, options = {}) {
      requests.get += 1;
      const found = held.get(key);
      if (!found) throw absentError(key);
      yield options.range ? cut(found.body, options.range) : found.body;
    },
    async *list(prefix, options = {}) {
      requests.put += 1;
      yield* entries(held, prefix, options);
    },
    async delete(key) {
      requests.put += 1;
      held.delete(key);
    },
    async renew(key) {
      requests.put += 1;
      const found = held.get(key);
      if (found) keep(key, found.body);
      return found !== undefined;
    },
  };
}

/** The bytes of a range, clipped to what there is. */
export function cut(body: Uint8Array, range: ByteRange): Uint8Array {
  if ('last' in range) return body.subarray(Math.max(0, body.byteLength - range.last));
  return body.subarray(range.start, range.end === undefined ? undefined : range.end + 1);
}

function* entries(held: ReadonlyMap<string, Held>, prefix: string, options: { after?: string; delimiter?: string }): Generator<StoreEntry> {
  const keys = [...held.keys()]
    .filter((key) => key.startsWith(prefix) && (options.after === undefined || key > options.after))
    .sort(byCodePoint);
  const folded = new Set<string>();
  for (const key of keys) {
    const at = options.delimiter ? key.indexOf(options.delimiter, prefix.length) : -1;
    if (at < 0) {
      const { body, etag, modified } = held.get(key)!;
      yield { key, bytes: body.byteLength, etag, modified };
      continue;
    }
    const common = key.slice(0, at + options.delimiter!.length);
    if (folded.has(common)) continue;
    folded.add(common);
    yield { key: common, bytes: 0, etag: '', modified: 0 };
  }
}

/** S3 sorts by the bytes of UTF-8, JavaScript by UTF-16 units. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function wrongHash(key: string): RawcloudError {
  return new RawcloudError('E_AWS_REQUEST', `the body for ${key} does not have the SHA-256 that was given`);
}
