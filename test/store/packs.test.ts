import { randomBytes, randomFillSync } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { bucketKeys } from '../../lib/contract';
import { storeBlobs } from './trees';
import type { SmallBlob } from '../../lib/store/blob-upload';
import { decodeBlob, encodeBlob } from '../../lib/store/compress';
import { createMemoryStore } from '../../lib/store/memory';
import { FOOTER_BYTES, PACK_BYTES, PackWriter, readPackTail } from '../../lib/store/packs';
import { sha256Of } from '../../lib/store/sha256';

const blobOf = (bytes: Uint8Array) => ({ sha256: sha256Of(bytes), bytes });

async function packOf(contents: readonly Uint8Array[]) {
  const writer = new PackWriter();
  for (const bytes of contents) writer.add({ sha256: sha256Of(bytes), bytes: bytes.byteLength }, await encodeBlob(bytes));
  return writer.finish();
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ maxLength: 2000 }).map((text) => Buffer.from(text.repeat(3))),
);

test('a pack explains itself from its last bytes, and gives back every blob', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 20 }), async (contents) => {
      const pack = await packOf(contents);
      const tail = readPackTail(pack.bytes);
      if (tail.kind !== 'pack') throw new Error(`read as ${tail.kind}`);
      expect(tail.blobs).toEqual(pack.blobs);
      for (const [index, blob] of tail.blobs.entries()) {
        const stored = pack.bytes.subarray(blob.offset, blob.offset + blob.length);
        const bytes = await decodeBlob({ stored, encoding: blob.encoding }, blob.bytes, 'it');
        expect(Buffer.compare(bytes, contents[index]!)).toBe(0);
      }
    }),
    { numRuns: 60 },
  );
});

test('too short a tail tells how much is needed', async () => {
  const pack = await packOf([Buffer.from('a'), Buffer.from('b')]);
  const tail = readPackTail(pack.bytes.subarray(-FOOTER_BYTES));
  if (tail.kind !== 'more') throw new Error(`read as ${tail.kind}`);
  expect(readPackTail(pack.bytes.subarray(-tail.bytes)).kind).toBe('pack');
});

test('what is no pack is seen as something else', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('{}'), randomBytes(200)]) expect(readPackTail(bytes)).toEqual({ kind: 'other' });
});

test('fails on a damaged index', async () => {
  const { bytes } = await packOf([Buffer.from('a')]);
  const damaged = Buffer.from(bytes);
  damaged[bytes.byteLength - FOOTER_BYTES - 3] = 0;
  expect(() => readPackTail(damaged)).toThrow(expect.objectContaining({ code: 'E_INTEGRITY' }));
});

test('deflates where it pays, and only there', async () => {
  expect((await encodeBlob(Buffer.from('say it again. '.repeat(100)))).encoding).toBe('deflate');
  expect((await encodeBlob(randomBytes(5000))).encoding).toBe('raw');
  expect((await encodeBlob(Buffer.from('short'))).encoding).toBe('raw');
});

test('fails on content that inflates to more than it should', async () => {
  const { stored, encoding } = await encodeBlob(Buffer.alloc(100_000));
  await expect(decodeBlob({ stored, encoding }, 10, 'the content of x')).rejects.toMatchObject({ code: 'E_INTEGRITY' });
});

describe('uploading', () => {
  const upload = (store: ReturnType<typeof createMemoryStore>, contents: readonly Uint8Array[]) =>
    storeBlobs(contents.map(blobOf), { store, keyOf: bucketKeys.file });

  test('groups small blobs, and gives the same objects for the same blobs', async () => {
    const contents = Array.from({ length: 9 }, () => randomBytes(3 * 2 ** 20));
    const store = createMemoryStore({ now: () => 0 });
    const first = await upload(store, contents);
    expect(first.map(({ blobs }) => blobs.length)).toEqual([6, 3]);
    expect(first[0]!.sentBytes).toBeGreaterThan(PACK_BYTES);
    const second = await upload(store, contents);
    expect(second.map(({ object }) => object)).toEqual(first.map(({ object }) => object));
    expect(second.map(({ sentBytes }) => sentBytes)).toEqual([0, 0]);
  });

  test('what is sent stays what it is until it has arrived, though all memory is used again', async () => {
    const arrived = new Map<string, string>();
    const slow = {
      ...createMemoryStore({ now: () => 0 }),
      put: async (key: string, body: Uint8Array) => {
        // Others are read and packed meanwhile.
        for (let turn = 0; turn < 50; turn++) await nextTurn();
        arrived.set(key, bucketKeys.file(sha256Of(body)));
        return { etag: '"x"', now: 0 };
      },
    };
    const room = Buffer.alloc(2 ** 20);
    function* reusing(): Generator<SmallBlob> {
      for (let blob = 0; blob < 150; blob++) {
        // Some of it shrinks, and so is deflated while others are read.
        const bytes = blob % 3 === 0 ? room.fill(`all the same ${blob}`) : randomFillSync(room);
        yield { sha256: sha256Of(bytes), bytes };
      }
    }
    const stored = await storeBlobs(reusing(), { store: slow, keyOf: bucketKeys.file });
    expect(stored.length).toBeGreaterThan(5);
    expect([...arrived.keys()]).toEqual([...arrived.values()]);
  });

  test('content that is read into the same memory comes out as it was', async () => {
    const store = createMemoryStore({ now: () => 0 });
    const blob = fc.record({ text: fc.boolean(), bytes: fc.integer({ min: 0, max: 3000 }), seed: fc.nat(255) });
    const law = fc.asyncProperty(fc.array(blob, { maxLength: 40 }), async (drawn) => {
      const room = Buffer.alloc(3000);
      const contents = drawn.map(({ text, bytes, seed }) => (text ? Buffer.alloc(bytes, `${seed} again `) : randomBytes(bytes)));
      function* reusing(): Generator<SmallBlob> {
        for (const content of contents) {
          content.copy(room);
          yield { sha256: sha256Of(content), bytes: room.subarray(0, content.byteLength) };
        }
      }
      const [stored] = await storeBlobs(reusing(), { store, keyOf: bucketKeys.file });
      for (const { sha256, offset, length, encoding, bytes } of stored?.blobs ?? []) {
        const found = await store.get(bucketKeys.file(stored!.object));
        if (typeof found === 'string') throw new Error(found);
        const part = found.body.subarray(offset, offset + length);
        expect(sha256Of(await decodeBlob({ stored: part, encoding }, bytes, 'it'))).toBe(sha256);
      }
      expect(stored?.blobs.map(({ sha256 }) => sha256) ?? []).toEqual(contents.map(sha256Of));
    });
    await fc.assert(law, { numRuns: 60 });
  });

  test('fails with the store’s failure, and sends no more', async () => {
    const store = { ...createMemoryStore({ now: () => 0 }), put: () => Promise.reject(new Error('no more space')) };
    await expect(upload(store, [Buffer.from('x')])).rejects.toThrow('no more space');
  });
});
