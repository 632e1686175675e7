import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { dechunk, FRAMINGS } from './aws-chunked';
import { incompleteBody } from './byte-reader';
import { CHECKSUM_NAMES, checksumNameOf, createChecksum, type Checksum, type ChecksumName } from './checksums';
import { ServiceError } from './service';
import { sameText, type Verified } from './sigv4';

/** A body of S3 whose reading fails unless it is what was signed and what its checksums say. */
export interface Payload {
  readonly body: AsyncIterable<Uint8Array>;
  /** The checksums that were given and found right, base64; complete once the body is read. */
  readonly checksums: ReadonlyMap<ChecksumName, string>;
}

/**
 * What the signature of an S3 request covers as payload hash.
 * @throws ServiceError InvalidRequest when `x-amz-content-sha256` is missing or not one of its forms
 */
export function declaredPayloadHash(headers: IncomingHttpHeaders, presigned: boolean): string {
  const value = headers['x-amz-content-sha256'];
  if (typeof value !== 'string') {
    if (presigned) return 'UNSIGNED-PAYLOAD';
    throw new ServiceError(400, 'InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  if (value === 'UNSIGNED-PAYLOAD' || value in FRAMINGS || /^[0-9a-f]{64}$/.test(value)) return value;
  throw new ServiceError(
    400,
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value },
  );
}

export interface PayloadOptions {
  readonly headers: IncomingHttpHeaders;
  /** From {@link declaredPayloadHash}. */
  readonly payloadHash: string;
  readonly verified: Verified;
  /** Whether `x-amz-checksum-*` speaks of the body; in CompleteMultipartUpload it speaks of the object. */
  readonly ownChecksums: boolean;
}

/** Removes the framing and checks length, hash and checksums while the body is read. */
export function openPayload(source: AsyncIterable<Uint8Array>, { headers, payloadHash, verified, ownChecksums }: PayloadOptions): Payload {
  const found = new Map<ChecksumName, string>();
  const checks = [...bodyChecks(headers, payloadHash), ...(ownChecksums ? checksumChecks(headers, found) : [])];
  const framing = FRAMINGS[payloadHash];
  if (!framing) return { body: checks.length === 0 ? source : checked(source, checks), checksums: found };
  const length = decodedLength(headers);
  const trailing = announcedTrailers(headers, found);
  const plain = dechunk(source, framing, verified, (trailers) => {
    for (const check of trailing) check.expect(trailers.get(check.header));
  });
  return { body: checked(plain, [...checks, lengthCheck(length), ...trailing]), checksums: found };
}

interface Check extends Pick<Checksum, 'update'> {
  /** @throws ServiceError when the bytes were not what was declared */
  finish(): void;
}

async function* checked(source: AsyncIterable<Uint8Array>, checks: readonly Check[]): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    for (const check of checks) check.update(chunk);
    yield chunk;
  }
  for (const check of checks) check.finish();
}

function bodyChecks(headers: IncomingHttpHeaders, payloadHash: string): Check[] {
  const checks: Check[] = [];
  if (/^[0-9a-f]{64}$/.test(payloadHash)) checks.push(hashCheck(payloadHash));
  const md5 = headers['content-md5'];
  if (typeof md5 === 'string') checks.push(md5Check(md5));
  return checks;
}

function checksumChecks(headers: IncomingHttpHeaders, found: Map<ChecksumName, string>): Check[] {
  return CHECKSUM_NAMES.flatMap((name) => {
    const value = headers[`x-amz-checksum-${name}`];
    return typeof value === 'string' ? new ChecksumCheck(name, found, value) : [];
  });
}

function announcedTrailers(headers: IncomingHttpHeaders, found: Map<ChecksumName, string>): ChecksumCheck[] {
  const names = String(headers['x-amz-trailer'] ?? '').split(',');
  return names.flatMap((n) => checksumNameOf(n.trim().toLowerCase()) ?? []).map((name) => new ChecksumCheck(name, found));
}

class ChecksumCheck implements Check {
  readonly header: string;
  readonly #checksum: Checksum;

  constructor(
    readonly name: ChecksumName,
    readonly found: Map<ChecksumName, string>,
    private expected?: string,
  ) {
    this.header = `x-amz-checksum-${name}`;
    this.#checksum = createChecksum(name);
  }

  expect(value: string | undefined): void {
    this.expected = value;
  }

  update(bytes: Uint8Array): void {
    this.#checksum.update(bytes);
  }

  finish(): void {
    const actual = this.#checksum.digest();
    const expected = this.expected;
    if (expected === undefined)
      throw new ServiceError(400, 'MalformedTrailerError', `The request announced the trailer ${this.header} and did not send it.`);
    if (Buffer.from(expected, 'base64').byteLength !== actual.byteLength) {
      throw new ServiceError(400, 'InvalidRequest', `Value for ${this.header} header is invalid.`);
    }
    if (!sameText(actual.toString('base64'), expected)) {
      throw new ServiceError(400, 'BadDigest', `The ${this.name.toUpperCase()} you specified did not match the calculated checksum.`);
    }
    this.found.set(this.name, expected);
  }
}

function hashCheck(expected: string): Check {
  const hash = createHash('sha256');
  return {
    update: (bytes) => hash.update(bytes),
    finish: () => {
      const actual = hash.digest('hex');
      if (actual === expected) return;
      throw new ServiceError(
        400,
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        {
          ClientComputedContentSHA256: expected,
          S3ComputedContentSHA256: actual,
        },
      );
    },
  };
}

function md5Check(expected: string): Check {
  if (Buffer.from(expected, 'base64').byteLength !== 16)
    throw new ServiceError(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.');
  const hash = createHash('md5');
  return {
    update: (bytes) => hash.update(bytes),
    finish: () => {
      const actual = hash.digest('base64');
      if (actual === expected) return;
      throw new ServiceError(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.', {
        ExpectedDigest: expected,
        CalculatedDigest: actual,
      });
    },
  };
}

function lengthCheck(expected: number): Check {
  let bytes = 0;
  return {
    update: (chunk) => void (bytes += chunk.byteLength),
    finish: () => {
      if (bytes !== expected) throw incompleteBody();
    },
  };
}

function decodedLength(headers: IncomingHttpHeaders): number {
  const text = headers['x-amz-decoded-content-length'];
  if (typeof text === 'string' && /^\d+$/.test(text)) return Number(text);
  throw new ServiceError(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
}
