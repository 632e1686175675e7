import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { bucketKeys, mapBounded, RawcloudError } from '../../contract';
import type { Store } from '../../contract';

const AT_ONCE = 16;
const BATCH = 256;

/**
 * Writes the whole ledger to a file, one line of JSON for each job, oldest month first. The file has its name only when
 * it is whole. @returns the number of lines
 * @throws E_USAGE when the file is there already, or cannot be written
 */
export async function exportLedger(store: Store, file: string, signal?: AbortSignal): Promise<number> {
  const part = `${file}.part`;
  await refuseExisting(file);
  const out = await open(part, 'w', 0o600).catch((cause: unknown) => {
    throw new RawcloudError('E_USAGE', `the ledger cannot be written to ${file}: ${(cause as Error).message}`, {
      remedy: `Give --export FILE in a directory that is there and may be written to; ${path.dirname(file)} is not.`,
      cause,
    });
  });
  try {
    let lines = 0;
    for await (const keys of batches(store, signal)) {
      const found = await mapBounded(keys, AT_ONCE, (key) => store.get(key, signal ? { signal } : {}));
      const texts = found.flatMap((object) => (typeof object === 'string' ? [] : [Buffer.from(object.body).toString('utf8').trim()]));
      if (texts.length > 0) await out.write(`${texts.join('\n')}\n`);
      lines += texts.length;
    }
    await out.sync();
    await out.close();
    await rename(part, file);
    return lines;
  } catch (error) {
    await out.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

async function refuseExisting(file: string): Promise<void> {
  const there = await open(file, 'r').catch(() => undefined);
  if (!there) return;
  await there.close();
  throw new RawcloudError('E_USAGE', `the file for the ledger is there already: ${file}`, { remedy: 'Give another by --export FILE.' });
}

async function* batches(store: Store, signal?: AbortSignal): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for await (const { key } of store.list(bucketKeys.ledgers, signal ? { signal } : {})) {
    batch.push(key);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
