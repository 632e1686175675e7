import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { RawcloudError } from '../contract';
import type { BuildIo, Built, Layer, Notice, Store } from '../contract';
import { fetchRef } from '../store/ref';
import { builders } from './builders';
import type { Places } from './environment';

export interface LayersOptions {
  readonly store: Store;
  readonly places: Places;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Resolves when there is room for more. */
  readonly say: (line: string) => Promise<void>;
}

/** Builds the layers in order. What the first one puts on PATH comes first. @throws E_ENVIRONMENT */
export async function buildLayers(layers: readonly Layer[], options: LayersOptions): Promise<Built> {
  const built: Built[] = [];
  for (const layer of layers) {
    const builder = builders[layer.kind];
    if (!builder)
      throw new RawcloudError('E_ENVIRONMENT', `this VM's agent cannot build packages of kind '${layer.kind}'`, {
        remedy: 'Update rawcloud.',
      });
    const directory = path.join(options.places.layers, `${layer.kind}-${layer.key.slice(0, 16)}`);
    await mkdir(directory, { recursive: true });
    await options.say(`${layer.kind}: building`);
    built.push(await builder.build(layer, buildIo(layer, directory, options)));
  }
  return {
    path: built.flatMap((b) => b.path),
    env: Object.assign({}, ...built.map((b) => b.env)) as Record<string, string>,
    notices: built.flatMap((b): readonly Notice[] => b.notices),
  };
}

function buildIo(layer: Layer, directory: string, { store, places, env, signal, say }: LayersOptions): BuildIo {
  return {
    root: places.tree,
    directory,
    env,
    node: process.execPath,
    signal,
    async source(sha256) {
      const ref = layer.sources.find((s) => s.sha256 === sha256);
      if (!ref) throw new RawcloudError('E_ENVIRONMENT', `the ${layer.kind} layer does not name content ${sha256.slice(0, 12)}…`);
      return fetchRef(store, ref, undefined, signal);
    },
    log: (line) => void say(line),
    run: (command, args, options = {}) =>
      runLogged(command, args, { cwd: directory, ...options, env: { ...env, ...options.env }, signal, say }),
  };
}

interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly say: (line: string) => Promise<void>;
  readonly onLine?: (line: string) => void;
}

/** Runs a program, its lines to the environment log. @throws E_ENVIRONMENT */
async function runLogged(command: string, args: readonly string[], { cwd, env, signal, say, onLine }: RunOptions): Promise<void> {
  const child = spawn(command, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = [child.stdout, child.stderr].map(async (input) => {
    for await (const line of createInterface({ input })) {
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
      remedy: 'rawcloud logs --system shows what it said.',
    });
}
