/*
 * One synchronization in a process of its own: `files-sync.js <root> <cache> <endpoint> <bucket> <part> [upload]`, where
 * `part` is a name under which the bucket is empty, `upload` what is taken along whole. Credentials come from the
 * environment. Prints one line of JSON; the time is that of the synchronization alone, with the store already connected, as
 * it is in a run.
 */
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { openAws } from '../lib/aws/clients';
import { createS3Store } from '../lib/aws/s3-store';
import type { Store, StoreEntry } from '../lib/contract';
import { resolveUploads } from '../lib/capture/uploads';
import { syncTree } from '../lib/runtime/sync/sync';

const [root, cache, endpoint, bucket, part, upload] = process.argv.slice(2) as [string, string, string, string, string, string?];
const FILES = 'v1/files/';

async function main(): Promise<void> {
  const aws = await openAws({ env: process.env, endpoint });
  const s3 = createS3Store(aws, { bucket });
  await s3.get('v1/files/nothing');
  let sent = 0;
  const count = (body: Uint8Array): Uint8Array => ((sent += body.byteLength), body);
  async function* counted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) yield count(chunk);
  }
  const there = (key: string): string => key.replace(FILES, `${FILES}${part}-`);
  async function* listed(prefix: string, options?: Parameters<Store['list']>[1]): AsyncGenerator<StoreEntry> {
    for await (const entry of s3.list(there(prefix), options)) yield { ...entry, key: entry.key.replace(`${part}-`, '') };
  }
  const store: Store = {
    ...s3,
    get: (key, options) => s3.get(there(key), options),
    put: (key, body, options) => s3.put(there(key), count(body), options),
    putStream: (key, source, options) => s3.putStream(there(key), counted(source), options),
    list: listed,
  };
  const home = path.join(cache, 'home');
  const requests = (): number => s3.requests.put + s3.requests.get;
  const before = requests();
  const start = performance.now();
  const synced = await syncTree({
    store,
    root,
    uploads: await resolveUploads(upload === undefined ? [] : [{ path: upload }], { root, cwd: root, home }),
    home,
    env: { PATH: process.env['PATH'], HOME: home },
    cacheFile: path.join(cache, 'blobs.jsonl'),
    treeCacheDirectory: path.join(cache, 'trees'),
    readerProgram: path.join(__dirname, 'read-files.js'),
    now: () => Date.now(),
    limitBytes: Infinity,
  });
  const ms = performance.now() - start;
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ ms, requests: requests() - before, sent, peakMiB, files: synced.files }));
  aws.close();
}

void main();
