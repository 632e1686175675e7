import { createHash, type Hash } from 'node:crypto';
import { ByteReader } from './byte-reader';
import { sha256Hex } from './canonical';
import { hmac, scopeText } from './signing-key';
import { ServiceError } from './service';
import { sameText, type Verified } from './sigv4';

/** Which parts of the framing are there; from `x-amz-content-sha256`. */
export interface Framing {
  readonly signed: boolean;
  readonly trailer: boolean;
}

export const FRAMINGS: Readonly<Record<string, Framing>> = {
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailer: true },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailer: true },
};

/** Chunks but the last must be at least this long. Source: S3 error InvalidChunkSizeError. */
const MIN_CHUNK_BYTES = 8192;
const MAX_LINE_BYTES = 16_384;

/**
 * The payload inside `aws-chunked` framing: lines `<hex length>[;chunk-signature=…]`, each followed by that
 * many bytes, up to a chunk of none and the trailers. A wrong chunk signature shows only behind its chunk:
 * the consumer must keep nothing of a body whose reading fails.
 * Source: S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks".
 */
export async function* dechunk(
  source: AsyncIterable<Uint8Array>,
  framing: Framing,
  verified: Verified,
  onTrailers: (trailers: ReadonlyMap<string, string>) => void,
): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source);
  const signer = framing.signed ? new ChunkSigner(verified) : undefined;
  let short: { number: number; bytes: number } | undefined;
  try {
    for (let number = 1; ; number++) {
      const head = readHead(await reader.line(MAX_LINE_BYTES));
      if (head.bytes === 0) {
        signer?.check(head.signature);
        onTrailers(await readTrailers(reader, framing, signer));
        return;
      }
      if (short) throw chunkTooShort(short);
      if (head.bytes < MIN_CHUNK_BYTES) short = { number, bytes: head.bytes };
      for await (const piece of reader.take(head.bytes)) {
        signer?.update(piece);
        yield piece;
      }
      signer?.check(head.signature);
      if ((await reader.line(MAX_LINE_BYTES)) !== '') throw malformed('a chunk is longer than it says');
    }
  } finally {
    await reader.close();
  }
}

function readHead(line: string): { bytes: number; signature: string | undefined } {
  const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (!match) throw malformed('a chunk has no length');
  return { bytes: parseInt(match[1]!, 16), signature: match[2] };
}

async function readTrailers(reader: ByteReader, framing: Framing, signer: ChunkSigner | undefined): Promise<Map<string, string>> {
  const trailers = new Map<string, string>();
  for (let line = await reader.line(MAX_LINE_BYTES); line !== ''; line = await reader.line(MAX_LINE_BYTES)) {
    const colon = line.indexOf(':');
    if (colon < 1) throw malformed('a trailer has no name', 'MalformedTrailerError');
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  if (!framing.trailer && trailers.size > 0) throw malformed('there is a trailer that was not announced', 'MalformedTrailerError');
  if (framing.trailer && signer) {
    const signature = trailers.get('x-amz-trailer-signature');
    trailers.delete('x-amz-trailer-signature');
    signer.checkTrailers(trailers, signature);
  }
  return trailers;
}

/** The chain of chunk signatures: each covers its chunk and the signature before it, the first one the request's. */
class ChunkSigner {
  readonly #verified: Verified;
  #previous: string;
  #hash: Hash = createHash('sha256');

  constructor(verified: Verified) {
    this.#verified = verified;
    this.#previous = verified.claim.signature;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  check(signature: string | undefined): void {
    const hash = this.#hash.digest('hex');
    this.#hash = createHash('sha256');
    this.#compare('AWS4-HMAC-SHA256-PAYLOAD', `${EMPTY_HASH}\n${hash}`, signature);
  }

  checkTrailers(trailers: ReadonlyMap<string, string>, signature: string | undefined): void {
    const text = [...trailers].map(([name, value]) => `${name}:${value}\n`).join('');
    this.#compare('AWS4-HMAC-SHA256-TRAILER', sha256Hex(text), signature);
  }

  #compare(algorithm: string, hashes: string, signature: string | undefined): void {
    const { claim, signingKey } = this.#verified;
    const expected = hmac(signingKey, [algorithm, claim.amzDate, scopeText(claim.scope), this.#previous, hashes].join('\n')).toString(
      'hex',
    );
    if (signature === undefined || !sameText(expected, signature)) {
      throw new ServiceError(
        403,
        'SignatureDoesNotMatch',
        'The signature of a chunk or trailer does not match. Check your key and signing method.',
      );
    }
    this.#previous = expected;
  }
}

function chunkTooShort(chunk: { number: number; bytes: number }): ServiceError {
  return new ServiceError(
    403,
    'InvalidChunkSizeError',
    `Only the last chunk is allowed to have a size less than ${MIN_CHUNK_BYTES} bytes`,
    {
      Chunk: String(chunk.number),
      BadChunkSize: String(chunk.bytes),
    },
  );
}

const EMPTY_HASH = sha256Hex('');

function malformed(what: string, code = 'InvalidRequest'): ServiceError {
  return new ServiceError(
    400,
    code,
    `The request contained data that was not well-formed or did not conform to our published schema: ${what}`,
  );
}
