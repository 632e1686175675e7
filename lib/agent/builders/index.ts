import type { Builder, EnvironmentParts } from '../../contract';

/** Makes a builder whose code is loaded with its first layer: a job without packages starts without it. */
function lazily(kind: string, load: () => Promise<Builder>, parts?: () => Promise<EnvironmentParts>): Builder {
  return { kind, build: async (layer, io) => (await load()).build(layer, io), ...(parts ? { parts } : {}) };
}

/** Builders by the kind of layer they make. */
export const builders: Readonly<Record<string, Builder>> = {
  setup: lazily('setup', async () => (await import('./setup.js')).setupBuilder),
  python: lazily(
    'python',
    async () => (await import('./python.js')).pythonBuilder,
    async () => (await import('./python-parts.js')).pythonParts,
  ),
  conda: lazily(
    'conda',
    async () => (await import('./conda/index.js')).condaBuilder,
    async () => (await import('./conda/parts.js')).condaParts,
  ),
  node: lazily(
    'node',
    async () => (await import('./node.js')).nodeBuilder,
    async () => (await import('./node-parts.js')).nodeParts,
  ),
};
