import type { Builder } from '../../contract';

/** Makes a builder whose code is loaded with its first layer: a job without packages starts without it. */
function lazily(kind: string, load: () => Promise<Builder>): Builder {
  return { kind, build: async (layer, io) => (await load()).build(layer, io) };
}

/** Builders by the kind of layer they make. */
export const builders: Readonly<Record<string, Builder>> = {
  python: lazily('python', async () => (await import('./python.js')).pythonBuilder),
  node: lazily('node', async () => (await import('./node.js')).nodeBuilder),
};
