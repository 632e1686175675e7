import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { formatSize, hideWords, RawcloudError, secretWords } from '../contract';
import type { BuildIo, Built, Layer, Notice, Store } from '../contract';
import { fetchRef } from '../store/ref';
import { builders } from './builders';
import type { Places } from './environment';
import type { Beside } from './environments/beside';
import type { CacheDeps, Made } from './environments/making';

export interface LayersOptions {
  readonly store: Store;
  readonly places: Places;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** What builders need and nobody may see, by `<kind of layer>:<name>`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Resolves when there is room for more. */
  readonly say: (line: string) => Promise<void>;
  readonly progress: (detail: string) => void;
  /** @default - every layer is built */
  readonly cache?: Pick<CacheDeps, 'clock' | 'vm' | 'cache' | 'image' | 'pollMs' | 'renewMs'>;
}

export interface BuiltLayers {
  readonly built: Built;
  /** Whoever gets it ends it. */
  readonly beside: readonly Beside[];
}

/** Makes the layers in order. What the first one puts on PATH comes first. @throws E_ENVIRONMENT */
export async function buildLayers(layers: readonly Layer[], given: LayersOptions): Promise<BuiltLayers> {
  const options = { ...given, hide: hiderOf(given.secrets) };
  const made: Made[] = [];
  const beside = (): Beside[] => made.flatMap((m) => m.beside ?? []);
  try {
    for (const layer of layers) {
      const place = placeOf(layer, layers);
      made.push(await makeOne(layer, path.join(options.places.layers, place), options));
    }
  } catch (error) {
    for (const one of beside()) await one.end();
    throw error;
  }
  const built = {
    path: made.flatMap((m) => m.built.path),
    env: Object.assign({}, ...made.map((m) => m.built.env)) as Record<string, string>,
    notices: [...restoredNotice(made), ...made.flatMap((m): readonly Notice[] => [...m.notices, ...m.built.notices])],
  };
  return { built, beside: beside() };
}

/** The same on every VM: what is built there names it. */
function placeOf(layer: Layer, layers: readonly Layer[]): string {
  const number = layers.filter(({ kind }) => kind === layer.kind).indexOf(layer);
  return number === 0 ? layer.kind : `${layer.kind}-${number + 1}`;
}

async function makeOne(layer: Layer, directory: string, options: MakingOptions): Promise<Made> {
  const builder = builders[layer.kind];
  if (!builder)
    throw new RawcloudError('E_ENVIRONMENT', `this VM's agent cannot build packages of kind '${layer.kind}'`, {
      remedy: 'Update rawcloud.',
    });
  await mkdir(directory, { recursive: true });
  const io = buildIo(layer, directory, options);
  const parts = await builder.parts?.();
  const { cache, store, signal, say, progress } = options;
  if (cache && parts) {
    const { makeLayer } = await import('./environments/making.js');
    return makeLayer({ ...cache, store, signal, progress, say: (line) => void say(line) }, { builder, parts, layer, io });
  }
  await say(`${layer.kind}: building`);
  return { built: await builder.build(layer, io), notices: [] };
}

function restoredNotice(made: readonly Made[]): Notice[] {
  const sizes = made.flatMap(({ restored }) => restored ?? []);
  if (sizes.length === 0) return [];
  const packages = sizes.reduce((sum, size) => sum + size.packages, 0);
  const bytes = sizes.reduce((sum, size) => sum + size.bytes, 0);
  return [
    {
      level: 'info',
      text: `environment restored from cache (${packages} ${packages === 1 ? 'package' : 'packages'}, ${formatSize(bytes)})`,
    },
  ];
}

function buildIo(layer: Layer, directory: string, { store, places, env, signal, secrets, hide, say }: MakingOptions): BuildIo {
  const prefix = `${layer.kind}:`;
  return {
    root: places.tree,
    directory,
    env,
    node: process.execPath,
    signal,
    secrets: Object.fromEntries(
      Object.entries(secrets).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])),
    ),
    async source(sha256) {
      const ref = layer.sources.find((s) => s.sha256 === sha256);
      if (!ref) throw new RawcloudError('E_ENVIRONMENT', `the ${layer.kind} layer does not name content ${sha256.slice(0, 12)}…`);
      return fetchRef(store, ref, undefined, signal);
    },
    log: (line) => void say(hide(line)),
    run: (command, args, options = {}) =>
      runLogged(command, args, { cwd: directory, ...options, env: { ...env, ...options.env }, signal, hide, say }),
  };
}

interface MakingOptions extends LayersOptions {
  readonly hide: (line: string) => string;
}

/** Nothing that was sealed is shown or said in an error, nor a part of it that stands for itself: the value of a setting in a file. */
function hiderOf(secrets: LayersOptions['secrets']): MakingOptions['hide'] {
  const words = secretWords(Object.values(secrets));
  return (line) => hideWords(line, words);
}

interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly hide: (line: string) => string;
  readonly say: (line: string) => Promise<void>;
  readonly onLine?: (line: string) => void;
}

/** Runs a program, its lines to the environment log. @throws E_ENVIRONMENT */
async function runLogged(command: string, args: readonly string[], { cwd, env, signal, hide, say, onLine }: RunOptions): Promise<void> {
  const child = spawn(command, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = [child.stdout, child.stderr].map(async (input) => {
    for await (const said of createInterface({ input })) {
      const line = hide(said);
      await say(line);
      onLine?.(line);
    }
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, killed) => resolve(code === 0 ? undefined : `exited with ${code ?? killed}`));
  });
  const failure = await ended;
  await Promise.all(lines);
  signal.throwIfAborted();
  if (failure !== undefined)
    throw new RawcloudError('E_ENVIRONMENT', `${path.basename(command)} ${args[0] ?? ''} ${failure}`.trim(), {
      remedy: 'rawcloud logs --environment shows what it said.',
    });
}
