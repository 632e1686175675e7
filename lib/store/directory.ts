import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { absentError } from '../contract';
import type { Store, StoreEntry } from '../contract';
import { cut } from './memory';

/**
 * The store as a directory: each object a file under its key. For content on its way into a deployment; one process
 * writes it, so conditions are checked before the write and not with it.
 */
export function createDirectoryStore(directory: string): Store {
  const requests = { put: 0, get: 0 };
  const fileOf = (key: string): string => path.join(directory, ...key.split('/'));
  return {
    requests,
    async get(key, options = {}) {
      requests.get += 1;
      const file = fileOf(key);
      if (!existsSync(file)) return 'absent';
      const [whole, { mtimeMs }] = await Promise.all([readFile(file), stat(file)]);
      const etag = etagOf(whole);
      if (options.ifNoneMatch === etag) return 'unchanged';
      return { body: options.range ? cut(whole, options.range) : whole, etag, modified: mtimeMs, now: mtimeMs };
    },
    async put(key, body, options = {}) {
      requests.put += 1;
      const file = fileOf(key);
      if (options.if === 'absent' && existsSync(file)) return 'lost';
      if (typeof options.if === 'object' && (!existsSync(file) || etagOf(await readFile(file)) !== options.if.etag)) return 'lost';
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, body);
      return { etag: etagOf(body), now: (await stat(file)).mtimeMs };
    },
    async putStream(key, source, options = {}) {
      requests.put += 1;
      const file = fileOf(key);
      await mkdir(path.dirname(file), { recursive: true });
      await pipeline(source, createWriteStream(`${file}.part`), options.signal ? { signal: options.signal } : {});
      await rename(`${file}.part`, file);
      return { etag: '' };
    },
    async *getStream(key, options = {}) {
      requests.get += 1;
      const file = fileOf(key);
      if (!existsSync(file)) throw absentError(key);
      if (options.range) yield cut(await readFile(file), options.range);
      else yield* createReadStream(file) as AsyncIterable<Uint8Array>;
    },
    async *list(prefix) {
      requests.put += 1;
      yield* entriesUnder(directory, prefix);
    },
    async delete(key) {
      requests.put += 1;
      await rm(fileOf(key), { force: true });
    },
    async renew(key) {
      requests.put += 1;
      const file = fileOf(key);
      if (!existsSync(file)) return false;
      await copyFile(file, `${file}.part`);
      await rename(`${file}.part`, file);
      return true;
    },
  };
}

function etagOf(body: Uint8Array): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

async function* entriesUnder(directory: string, prefix: string): AsyncGenerator<StoreEntry> {
  const names = existsSync(directory) ? await readdir(directory, { recursive: true, withFileTypes: true }) : [];
  const files = names.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    const key = path.relative(directory, file).split(path.sep).join('/');
    if (!key.startsWith(prefix)) continue;
    const { size, mtimeMs } = await stat(file);
    yield { key, bytes: size, etag: '', modified: mtimeMs };
  }
}
