import { absentError, RawcloudError } from '../contract';
import type { Store } from '../contract';
import { cutIntoParts, PART_BYTES } from './parts';
import { rangeHeader } from './range';
import { readBody } from './wire/call';
import { mustSucceed, WireClient } from './wire/client';
import type { WireAnswer, WireOptions } from './wire/client';

/** A race of conditional writes answers 409; the request is then to be sent again (S3 user guide, "Conditional writes"). */
const CONFLICT_TRIES = 8;

/** The bucket as the agent reaches it: the same store without the SDK, which would take longer to load than most agents need to start a job. */
export function createWireStore(options: WireOptions): Store & { close(): void } {
  const client = new WireClient(options);
  const requests = { put: 0, get: 0 };

  return {
    requests,
    close: () => client.close(),
    async get(key, { range, ifNoneMatch, signal } = {}) {
      requests.get += 1;
      const headers = { ...(range ? { range: rangeHeader(range) } : {}), ...(ifNoneMatch ? { 'if-none-match': ifNoneMatch } : {}) };
      const answer = await client.send({ method: 'GET', key, headers, ...(signal ? { signal } : {}) });
      if (answer.status === 304) return 'unchanged';
      if (isAbsent(answer)) return 'absent';
      if (answer.status === 416) return { body: new Uint8Array(), etag: '', modified: 0, now: dateOf(answer, 'date') };
      const message = mustSucceed(answer, 's3:GetObject');
      return {
        body: await readBody(message),
        etag: message.headers.etag ?? '',
        modified: dateOf(answer, 'last-modified'),
        now: dateOf(answer, 'date'),
      };
    },

    async put(key, body, { if: condition, sha256, signal } = {}) {
      const headers: Record<string, string> =
        condition === undefined ? {} : condition === 'absent' ? { 'if-none-match': '*' } : { 'if-match': condition.etag };
      for (let attempt = 1; ; attempt++) {
        requests.put += 1;
        const answer = await client.send({
          method: 'PUT',
          key,
          headers,
          body,
          ...(sha256 === undefined ? {} : { sha256 }),
          ...(signal ? { signal } : {}),
        });
        if (answer.status === 409 && attempt < CONFLICT_TRIES) continue;
        if (condition !== undefined && (answer.status === 412 || isKeyMissing(answer))) return 'lost';
        const message = mustSucceed(answer, 's3:PutObject');
        await readBody(message);
        return { etag: message.headers.etag ?? '', now: dateOf(answer, 'date') };
      }
    },

    async putStream(key, source, { signal } = {}) {
      const send = signal ? { signal } : {};
      const parts = cutIntoParts(source);
      const first = await parts.next();
      const head = first.done ? new Uint8Array() : first.value;
      if (head.byteLength < PART_BYTES) {
        const written = await this.put(key, head, send);
        return { etag: written === 'lost' ? '' : written.etag };
      }
      return uploadParts(client, key, head, parts, requests, send);
    },

    async *getStream(key, { range, signal } = {}) {
      requests.get += 1;
      const headers: Record<string, string> = range ? { range: rangeHeader(range) } : {};
      const answer = await client.send({ method: 'GET', key, headers, ...(signal ? { signal } : {}) });
      if (isAbsent(answer)) throw absentError(key);
      const message = mustSucceed(answer, 's3:GetObject');
      let bytes = 0;
      for await (const chunk of message) {
        bytes += (chunk as Buffer).byteLength;
        yield chunk as Buffer;
      }
      const expected = Number(message.headers['content-length'] ?? bytes);
      if (bytes !== expected)
        throw new RawcloudError('E_INTEGRITY', `an object ended after ${bytes} of ${expected} bytes`, { retryable: true });
    },

    list() {
      // A VM has no permission to list: asking is a fault of ours.
      throw new RawcloudError('E_INTERNAL', 'a VM may not list the bucket');
    },

    async delete(key, { signal } = {}) {
      requests.put += 1;
      await readBody(mustSucceed(await client.send({ method: 'DELETE', key, ...(signal ? { signal } : {}) }), 's3:DeleteObject'));
    },

    async renew(key, { signal } = {}) {
      requests.put += 1;
      const source = encodeURIComponent(`${options.bucket}/${key}`);
      // As in the clients' store: a copy onto itself has to say its metadata anew.
      const headers = { 'x-amz-copy-source': source, 'x-amz-metadata-directive': 'REPLACE' };
      const answer = await client.send({ method: 'PUT', key, headers, ...(signal ? { signal } : {}) });
      if (isKeyMissing(answer)) return false;
      mustNotHaveFailedLate((await readBody(mustSucceed(answer, 's3:CopyObject'))).toString('utf8'), 's3:CopyObject');
      return true;
    },
  };
}

/** S3 may find out that it failed after it has said 200. */
function mustNotHaveFailedLate(text: string, what: string): void {
  if (text.includes('<Error>')) throw new RawcloudError('E_AWS', `${what} failed: ${text.slice(0, 300)}`, { retryable: true });
}

async function uploadParts(
  client: WireClient,
  key: string,
  head: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
  requests: { put: number },
  send: { readonly signal?: AbortSignal },
): Promise<{ etag: string }> {
  requests.put += 2;
  const begun = await readBody(
    mustSucceed(await client.send({ method: 'POST', key, query: { uploads: '' }, ...send }), 's3:CreateMultipartUpload'),
  );
  const uploadId = /<UploadId>([^<]*)<\/UploadId>/.exec(begun.toString('utf8'))?.[1] ?? '';
  try {
    const etags = [await putPart(client, key, uploadId, 1, head, requests, send)];
    for await (const part of rest) etags.push(await putPart(client, key, uploadId, etags.length + 1, part, requests, send));
    const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`).join('');
    const body = Buffer.from(`<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts}</CompleteMultipartUpload>`);
    const answer = await client.send({ method: 'POST', key, query: { uploadId }, body, ...send });
    const text = (await readBody(mustSucceed(answer, 's3:CompleteMultipartUpload'))).toString('utf8');
    mustNotHaveFailedLate(text, 's3:CompleteMultipartUpload');
    return { etag: /<ETag>([^<]*)<\/ETag>/.exec(text)?.[1]?.replaceAll('&quot;', '"') ?? '' };
  } catch (error) {
    // Without the caller's signal: an abort must not leave parts that are paid for.
    await client.send({ method: 'DELETE', key, query: { uploadId } }).catch(() => undefined);
    throw error;
  }
}

async function putPart(
  client: WireClient,
  key: string,
  uploadId: string,
  number: number,
  body: Uint8Array,
  requests: { put: number },
  send: { readonly signal?: AbortSignal },
): Promise<string> {
  requests.put += 1;
  const answer = await client.send({ method: 'PUT', key, query: { partNumber: String(number), uploadId }, body, ...send });
  const message = mustSucceed(answer, 's3:UploadPart');
  await readBody(message);
  return message.headers.etag ?? '';
}

function isAbsent(answer: WireAnswer): boolean {
  return isKeyMissing(answer) || answer.status === 403;
}

/** A bucket that is gone is no key that is not there: nobody else has written first, and nothing is safe. */
function isKeyMissing({ status, code }: WireAnswer): boolean {
  return status === 404 && code !== 'NoSuchBucket';
}

function dateOf(answer: WireAnswer, header: 'date' | 'last-modified'): number {
  const text = answer.message.headers[header];
  return text ? Date.parse(text) : 0;
}
