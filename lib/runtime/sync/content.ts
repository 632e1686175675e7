import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { bucketKeys } from '../../contract';
import type { Ref, Store } from '../../contract';
import { keepContent } from '../../store/keep';
import { sha256Of } from '../../store/sha256';

interface Options {
  readonly signal?: AbortSignal;
}

/** Stores small content under its hash. That it is there already is as good. */
export async function uploadContent(store: Store, bytes: Uint8Array, options: Options = {}): Promise<Ref> {
  const sha256 = sha256Of(bytes);
  await keepContent(store, bucketKeys.file(sha256), bytes, options);
  return { sha256, bytes: bytes.byteLength };
}

/** Stores what a stream gives, of any length, under its hash; it waits in a file of `spoolDirectory` until its hash is known. */
export async function uploadStream(
  store: Store,
  source: AsyncIterable<Uint8Array>,
  spoolDirectory: string,
  options: Options = {},
): Promise<Ref> {
  await mkdir(spoolDirectory, { recursive: true });
  const file = path.join(spoolDirectory, randomUUID());
  try {
    const ref = await spool(source, file, options.signal);
    await store.putStream(bucketKeys.file(ref.sha256), createReadStream(file, { highWaterMark: 2 ** 20 }), options);
    return ref;
  } finally {
    await rm(file, { force: true });
  }
}

async function spool(source: AsyncIterable<Uint8Array>, file: string, signal: AbortSignal | undefined): Promise<Ref> {
  const hash = createHash('sha256');
  // What is piped into a job may be secret.
  const handle = await open(file, 'wx', 0o600);
  let bytes = 0;
  try {
    for await (const chunk of signal ? abortable(source, signal) : source) {
      hash.update(chunk);
      await handle.writeFile(chunk);
      bytes += chunk.byteLength;
    }
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Whoever types into a terminal or holds a pipe open may never give another chunk: an abort does not wait for it. */
async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted();
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (
      let next = await Promise.race([iterator.next(), aborted]);
      next.done !== true;
      next = await Promise.race([iterator.next(), aborted])
    )
      yield next.value;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Its end is not awaited: it may hang in the read that was given up.
    if (signal.aborted) iterator.return?.().catch(() => undefined);
  }
}
