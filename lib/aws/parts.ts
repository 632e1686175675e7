/** Bytes of a part of a multipart upload. S3 wants at least 5 MiB, and allows 10,000 parts: objects of up to 78 GiB. */
export const PART_BYTES = 8 * 2 ** 20;

/** A stream cut into parts of {@link PART_BYTES}; the last one may be shorter. */
export async function* cutIntoParts(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    held.push(chunk);
    bytes += chunk.byteLength;
    while (bytes >= PART_BYTES) {
      const all = Buffer.concat(held);
      yield all.subarray(0, PART_BYTES);
      held = [all.subarray(PART_BYTES)];
      bytes = all.byteLength - PART_BYTES;
    }
  }
  if (bytes > 0) yield Buffer.concat(held);
}
