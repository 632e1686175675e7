/*
 * One layer on one VM, in a process of its own: `environment-layer.js <options as JSON>`. Makes a Python layer as the agent
 * does, with the agent's own store, then keeps it when it is to be kept. Credentials come from the environment. Prints one line
 * of JSON: time until the command could start, time to keep, bytes that came and went, requests.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { createWireStore } from '../lib/aws/wire-store';
import { systemClock } from '../lib/contract';
import type { Store } from '../lib/contract';
import { serveAsWriter } from '../lib/store/environments/writer-threads';
import { buildLayers } from '../lib/agent/layers';

interface Options {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly directory: string;
  readonly python: string;
  readonly requirements: readonly string[];
  readonly wheels: string;
  /** @default - without the cache */
  readonly secret?: string;
  /** A file to put under a key, instead of all that. */
  readonly put?: { readonly file: string; readonly key: string };
}

async function main(options: Options): Promise<void> {
  const { endpoint, bucket, region, directory, secret } = options;
  const given = { accessKeyId: process.env['AWS_ACCESS_KEY_ID']!, secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY']! };
  const wire = createWireStore({ endpoint, bucket, region, credentials: () => Promise.resolve(given), clock: systemClock });
  const moved = { in: 0, out: 0 };
  const store: Store = {
    ...wire,
    get: async (key, more) => {
      const found = await wire.get(key, more);
      if (typeof found !== 'string') moved.in += found.body.byteLength;
      return found;
    },
    put: (key, body, more) => ((moved.out += body.byteLength), wire.put(key, body, more)),
  };
  if (options.put) {
    await store.put(options.put.key, readFileSync(options.put.file));
    return wire.close();
  }
  const recipe = {
    python: options.python,
    requirements: [...options.requirements],
    index: { extra: [], findLinks: [options.wheels], noIndex: true, strategy: 'first' },
    uv: false,
  };
  const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex');
  const layer = { kind: 'python', key, platform: 'linux', recipe, sources: [], notices: [] };
  const at = (name: string): string => path.join(directory, name);
  for (const name of ['home', 'tmp', 'tree']) mkdirSync(at(name), { recursive: true });
  const places = {
    root: '',
    state: at('state'),
    job: directory,
    tree: at('tree'),
    home: at('home'),
    tmp: at('tmp'),
    layers: at('layers'),
    interruption: at('i'),
    entry: at('e'),
  };
  const { signal } = new AbortController();
  const start = performance.now();
  const { built, beside } = await buildLayers([layer], {
    store,
    places,
    env: { PATH: process.env['PATH'] ?? '', HOME: places.home, TMPDIR: places.tmp, LANG: 'C.UTF-8' },
    signal,
    secrets: {},
    variables: {},
    hidden: [],
    user: { isRoot: false, name: 'bench' },
    clock: systemClock,
    say: async () => undefined,
    progress: () => undefined,
    ...(secret
      ? { cache: { vm: 'bench', cache: { secret, project: 'bench' }, image: undefined, pollMs: 200, renewMs: 15_000, program: __filename } }
      : {}),
  });
  for (const one of beside) await one.settle();
  const readyMs = performance.now() - start;
  for (const one of beside) await one.run({ signal, onProgress: () => undefined });
  const keptMs = performance.now() - start - readyMs;
  for (const one of beside) await one.end();
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  const notices = built.notices.map(({ text }) => text);
  console.log(JSON.stringify({ ms: readyMs, keptMs, in: moved.in, out: moved.out, requests: { ...wire.requests }, peakMiB, notices }));
  wire.close();
}

if (!serveAsWriter()) void main(JSON.parse(process.argv[2]!) as Options);
