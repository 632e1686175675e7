import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError } from '../contract';
import { processIdentity } from './process-identity';
import { hasCode } from './errno';

/** A state directory that one process holds. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Makes this process the only one to serve a state directory. The lock of a process that is gone is taken over.
 * @throws E_LOCAL_CLOUD, with `data.pid`, when another process holds it
 */
export async function takeLock(directory: string): Promise<Lock> {
  const file = path.join(directory, 'lock');
  const draft = `${file}.${randomUUID()}`;
  const mine = `${process.pid}\n${await processIdentity(process.pid)}\n${randomUUID()}\n`;
  await writeFile(draft, mine, { mode: 0o600 });
  try {
    // Linking fails when the name is taken: whoever comes second sees a whole lock, never half of one.
    while (!(await tryLink(draft, file))) await breakIfStale(file);
  } finally {
    await rm(draft, { force: true });
  }
  return {
    release: async () => {
      if ((await readLock(file)) === mine) await rm(file, { force: true });
    },
  };
}

/** Process number of who holds the lock; undefined when nobody does, or who did is gone. */
export async function lockHolder(directory: string): Promise<number | undefined> {
  const held = await readLock(path.join(directory, 'lock'));
  return held === undefined ? undefined : holderOf(held);
}

async function holderOf(lock: string): Promise<number | undefined> {
  const [pid, identity] = lock.split('\n');
  return (await processIdentity(Number(pid))) === identity ? Number(pid) : undefined;
}

async function tryLink(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function breakIfStale(file: string): Promise<void> {
  const held = await readLock(file);
  if (held === undefined) return;
  const pid = await holderOf(held);
  if (pid !== undefined)
    throw new RawcloudError('E_LOCAL_CLOUD', `another process (${pid}) serves ${path.dirname(file)} already`, { data: { pid } });
  // Moved aside, then looked at: another who saw the same stale lock may have put a fresh one here meanwhile.
  const aside = `${file}.${randomUUID()}`;
  await rename(file, aside).catch(() => undefined);
  if ((await readLock(aside)) !== held) await tryLink(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

async function readLock(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
}
