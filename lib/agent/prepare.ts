import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { bucketKeys, RawcloudError } from '../contract';
import type { Built, Ref, Store, Tree } from '../contract';
import { restoreTree } from '../store/restore';
import { buildEnvironment } from './environment';
import type { Places } from './environment';
import { buildLayers } from './layers';
import type { AgentSpec } from './spec';

export interface PrepareOptions {
  readonly store: Store;
  readonly spec: AgentSpec;
  readonly places: Places;
  readonly machine: Readonly<Record<string, string | undefined>>;
  /** User that the files shall belong to, when it is another than ours. */
  readonly owner: string | undefined;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly progress: (detail: string) => void;
  readonly begin: (phase: 'files' | 'environment') => void;
}

export interface Prepared {
  readonly tree: Tree;
  readonly built: Built;
  /** File with what the command reads. */
  readonly stdin?: string;
}

const NOTHING_BUILT: Built = { path: [], env: {}, notices: [] };

/** Brings files, packages and stdin to where the command finds them. @throws E_ENVIRONMENT, E_INTEGRITY */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const { store, spec, places, signal, progress } = options;
  options.begin('files');
  for (const directory of [places.tree, places.home, places.tmp]) await mkdir(directory, { recursive: true });
  const [tree, stdin] = await Promise.all([
    restoreTree({
      store,
      ref: spec.environment.tree,
      directory: places.tree,
      signal,
      onProgress: ({ done, total }) => progress(`unpacking files, ${done} of ${total}`),
    }),
    spec.stdin && fetchFile(store, spec.stdin, path.join(places.job, 'stdin'), signal),
  ]);
  // A working directory that held nothing worth carrying is still one.
  await mkdir(path.join(places.tree, spec.work.cwd), { recursive: true });
  const { layers } = spec.environment;
  if (layers.length > 0) {
    options.begin('environment');
    progress('installing packages');
  }
  const built =
    layers.length === 0
      ? NOTHING_BUILT
      : await buildLayers(layers, { store, places, env: buildEnvironment(places, options.machine), signal, say: options.say });
  if (options.owner !== undefined) await promisify(execFile)('chown', ['-R', `${options.owner}:`, places.job], { signal });
  return { tree, built, ...(stdin === undefined ? {} : { stdin }) };
}

async function fetchFile(store: Store, ref: Ref, file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const checked = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(checked(store.getStream(bucketKeys.file(ref.sha256), { signal })), createWriteStream(file, { mode: 0o600 }));
  if (hash.digest('hex') !== ref.sha256)
    throw new RawcloudError('E_INTEGRITY', 'what the command should read does not have the hash it is stored under');
  return file;
}
