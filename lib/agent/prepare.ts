import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { bucketKeys, mapBounded, RawcloudError } from '../contract';
import type { Built, Clock, HomeFiles, Ref, Store, Tree } from '../contract';
import type { ReadSecret } from '../aws/secret-values';
import { restoreTree } from '../store/restore';
import { buildEnvironment } from './environment';
import type { Places } from './environment';
import type { Beside } from './environments/beside';
import type { BuiltLayers, LayersOptions, MachineUser } from './layers';
import type { AgentSpec } from './spec';

export interface PrepareOptions {
  readonly store: Store;
  readonly spec: AgentSpec;
  readonly places: Places;
  readonly machine: Readonly<Record<string, string | undefined>>;
  /** Logins of the developer. @default - none */
  readonly homeFiles?: HomeFiles;
  /** See the grant. */
  readonly builderSecrets: Readonly<Record<string, string>>;
  /** Secret ones of the grant. */
  readonly secretVariables: Readonly<Record<string, string>>;
  readonly user: MachineUser;
  readonly clock: Clock;
  /** User that the files shall belong to, when it is another than ours. */
  readonly owner: string | undefined;
  readonly signal: AbortSignal;
  readonly readSecret: ReadSecret;
  readonly say: (line: string) => Promise<void>;
  readonly progress: (detail: string) => void;
  readonly begin: (phase: 'files' | 'environment') => void;
  /** @default - environments are neither taken from the cache nor kept */
  readonly cache?: LayersOptions['cache'];
}

export interface Prepared {
  readonly tree: Tree;
  readonly built: Built;
  /** Goes on beside the command; whoever gets it ends it. */
  readonly beside: readonly Beside[];
  /** Values of variables that the VM has fetched itself. */
  readonly secrets: Readonly<Record<string, string>>;
  /** File with what the command reads. */
  readonly stdin?: string;
}

interface Fetched {
  tree?: Tree;
  secrets: Readonly<Record<string, string>>;
}

const NOTHING_BUILT: BuiltLayers = { built: { path: [], env: {}, notices: [] }, beside: [] };

/** Brings files, packages, secrets and stdin to where the command finds them. @throws E_ENVIRONMENT, E_INTEGRITY */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const { spec, places, signal } = options;
  options.begin('files');
  for (const directory of [places.tree, places.home, places.tmp]) await mkdir(directory, { recursive: true });
  await writeHomeFiles(options.homeFiles ?? {}, places.home);
  const { tree, secrets } = await fetchAll(options);
  // A working directory that held nothing worth carrying is still one.
  await mkdir(path.join(places.tree, spec.work.cwd), { recursive: true });
  const { built, beside } = await build(options, { ...options.secretVariables, ...secrets });
  try {
    if (options.owner !== undefined) await promisify(execFile)('chown', ['-R', `${options.owner}:`, places.job], { signal });
    for (const one of beside) await one.settle();
  } catch (error) {
    for (const one of beside) await one.end();
    throw error;
  }
  return { tree, built, beside, secrets, ...(spec.stdin === undefined ? {} : { stdin: stdinFile(places) }) };
}

/** For the job's user alone. Their names come from a client with `grantRun`, but never lead out of the directory. */
async function writeHomeFiles(files: HomeFiles, home: string): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(home, path.join('/', name));
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, Buffer.from(content, 'base64'), { mode: 0o600 });
  }
}

/** Tree, stdin and secrets at once; when one fails, the others are given up. */
async function fetchAll({ store, spec, places, signal, progress, readSecret }: PrepareOptions): Promise<Required<Fetched>> {
  const fetched: Fetched = { secrets: {} };
  const onProgress = ({ done, total }: { done: number; total: number }): void => progress(`unpacking files, ${done} of ${total}`);
  const fetches = [
    async (stop: AbortSignal) => {
      fetched.tree = await restoreTree({ store, ref: spec.environment.tree, directory: places.tree, signal: stop, onProgress });
    },
    async (stop: AbortSignal) => {
      if (spec.stdin) await fetchStdin(store, spec.stdin, stdinFile(places), stop);
    },
    async (stop: AbortSignal) => {
      const { secrets = {} } = spec.environment;
      if (Object.keys(secrets).length === 0) return;
      const { fetchSecrets } = await import('./secrets.js');
      fetched.secrets = await fetchSecrets(secrets, readSecret, stop);
    },
  ];
  await mapBounded(fetches, fetches.length, (fetch, _index, stop) => fetch(stop), { signal });
  return { ...fetched, tree: fetched.tree! };
}

async function build(
  { spec, store, places, machine, builderSecrets, user, clock, signal, say, begin, progress, cache }: PrepareOptions,
  secret: Readonly<Record<string, string>>,
): Promise<BuiltLayers> {
  const { layers } = spec.environment;
  if (layers.length === 0) return NOTHING_BUILT;
  begin('environment');
  progress('installing packages');
  // Most jobs need none, and should not wait for what builds them.
  const { buildLayers } = await import('./layers.js');
  const env = buildEnvironment(places, machine);
  return buildLayers(layers, {
    store,
    places,
    env,
    secrets: builderSecrets,
    variables: { ...spec.environment.variables, ...secret },
    hidden: Object.values(secret),
    user,
    clock,
    signal,
    say,
    progress,
    ...(cache ? { cache } : {}),
  });
}

function stdinFile(places: Places): string {
  return path.join(places.job, 'stdin');
}

async function fetchStdin(store: Store, ref: Ref, file: string, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  const checked = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  };
  const source = checked(store.getStream(bucketKeys.file(ref.sha256), { signal }));
  await pipeline(source, createWriteStream(file, { mode: 0o600 }));
  if (hash.digest('hex') === ref.sha256) return;
  throw new RawcloudError('E_INTEGRITY', 'what the command should read does not have the hash it is stored under');
}
