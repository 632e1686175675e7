import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { formatSize, hideWords, RawcloudError, secretWords, SETUP_KIND } from '../contract';
import type { BuildIo, Built, Clock, Layer, Notice, Store } from '../contract';
import { fetchRef } from '../store/ref';
import { builders } from './builders';
import type { Places } from './environment';
import type { Beside } from './environments/beside';
import type { CacheDeps, Made } from './environments/making';
import { runLogged } from './run-logged';

/** Who the agent is. */
export interface MachineUser {
  readonly isRoot: boolean;
  readonly name: string;
}

export interface LayersOptions {
  readonly store: Store;
  readonly places: Places;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** What builders need and nobody may see, by `<kind of layer>:<name>`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Of the command. */
  readonly variables: Readonly<Record<string, string>>;
  /** Those of them that nobody may see. */
  readonly hidden: readonly string[];
  readonly user: MachineUser;
  readonly clock: Clock;
  /** Resolves when there is room for more. */
  readonly say: (line: string) => Promise<void>;
  readonly progress: (detail: string) => void;
  /** @default - every layer is built */
  readonly cache?: Pick<CacheDeps, 'vm' | 'cache' | 'image' | 'pollMs' | 'renewMs' | 'program'>;
}

export interface BuiltLayers {
  readonly built: Built;
  /** Whoever gets it ends it. */
  readonly beside: readonly Beside[];
}

/** Makes the layers in order. What the first one puts on PATH comes first. @throws E_ENVIRONMENT */
export async function buildLayers(layers: readonly Layer[], given: LayersOptions): Promise<BuiltLayers> {
  const setup = layers.filter(({ kind }) => kind === SETUP_KIND).map(({ key }) => key);
  const options = { ...given, setup };
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
  const { cache, store, signal, say, progress, clock, setup } = options;
  if (cache && parts) {
    const { makeLayer } = await import('./environments/making.js');
    return makeLayer({ ...cache, clock, setup, store, signal, progress, say: (line) => void say(line) }, { builder, parts, layer, io });
  }
  const isSetup = layer.kind === SETUP_KIND;
  if (isSetup) progress('running the setup');
  await say(`${layer.kind}: ${isSetup ? 'running' : 'building'}`);
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

function buildIo(layer: Layer, directory: string, options: MakingOptions): BuildIo {
  const { store, places, env, variables, user, signal, secrets, say, clock } = options;
  const hide = hiderOf(layer, options);
  const prefix = `${layer.kind}:`;
  return {
    root: places.tree,
    directory,
    env,
    node: process.execPath,
    signal,
    variables,
    machine: { isRoot: user.isRoot, isOwn: places.root === '', user: user.name },
    secrets: Object.fromEntries(
      Object.entries(secrets).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])),
    ),
    async source(sha256) {
      const ref = layer.sources.find((s) => s.sha256 === sha256);
      if (!ref) throw new RawcloudError('E_ENVIRONMENT', `the ${layer.kind} layer does not name content ${sha256.slice(0, 12)}…`);
      return fetchRef(store, ref, undefined, signal);
    },
    log: (line) => void say(hide(line)),
    run: (command, args, how = {}) =>
      runLogged(command, args, { cwd: directory, ...how, env: { ...env, ...how.env }, signal, hide, say, clock }),
  };
}

interface MakingOptions extends LayersOptions {
  /** Keys of what was run before. */
  readonly setup: readonly string[];
}

/**
 * Nothing that was sealed is shown or said in an error, nor a part of it that stands for itself: the value of a setting in a file. Of the
 * job's variables only a setup knows.
 */
function hiderOf({ kind }: Layer, { secrets, hidden }: MakingOptions): (line: string) => string {
  const values = kind === SETUP_KIND ? hidden : [];
  const words = [...secretWords([...Object.values(secrets), ...values]), ...wholeLines(values)].sort((a, b) => b.length - a.length);
  return (line) => hideWords(line, words);
}

/** A value may be a phrase: what is hidden is a line of the log at most. */
function wholeLines(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split('\n').map((line) => line.trim())).filter((line) => line.length >= LEAST_HIDDEN);
}

/** What is shorter stands by chance in half the lines of a log. */
const LEAST_HIDDEN = 8;
