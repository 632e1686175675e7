import { ServiceError } from './service';

/** A whole body in memory. @throws ServiceError 413 RequestEntityTooLarge beyond `maxBytes` */
export async function readBody(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new ServiceError(413, 'RequestEntityTooLarge', `the body is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const [first] = chunks;
  return chunks.length === 1 && Buffer.isBuffer(first) ? first : Buffer.concat(chunks, bytes);
}

/** A body that is in memory, as a stream of one chunk. */
export async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}
