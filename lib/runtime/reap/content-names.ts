import { bucketKeys, decodeJson, JobSpecSchema, jobKeys, LaunchSchema, mapBounded } from '../../contract';
import type { Active, Store } from '../../contract';
import { objectsOfTree } from '../../store/tree-objects';

interface Options {
  readonly signal?: AbortSignal;
}

/** Jobs read at once. */
const JOBS_AT_ONCE = 16;

/**
 * Keys of all content that open jobs name: trees with their bases and packs, sources of layers, piped input, agents.
 * @throws when one cannot be read: then nobody knows what it needs
 */
export async function namedContent(store: Store, actives: readonly Active[], options: Options = {}): Promise<Set<string>> {
  const named = new Set<string>();
  /** Many jobs have the same tree. */
  const trees = new Set<string>();
  await mapBounded(
    actives,
    JOBS_AT_ONCE,
    async ({ prefix }, _index, signal) => {
      const spec = await read(store, jobKeys.spec(prefix), JobSpecSchema, { signal });
      // It is being recorded; what it names was looked at a moment ago.
      if (!spec) return;
      const { tree, layers } = spec.environment;
      const files = [...layers.flatMap(({ sources }) => sources), ...(spec.stdin ? [spec.stdin] : [])];
      for (const { sha256 } of files) named.add(bucketKeys.file(sha256));
      for await (const { key } of store.list(jobKeys.launches(prefix), { signal })) {
        const launch = await read(store, key, LaunchSchema, { signal });
        if (launch) for (const { sha256 } of [launch.agent, launch.node]) named.add(bucketKeys.agent(sha256));
      }
      if (trees.has(tree.sha256)) return;
      trees.add(tree.sha256);
      for (const object of await objectsOfTree(store, tree, signal)) named.add(bucketKeys.file(object));
    },
    options,
  );
  return named;
}

async function read<S extends Parameters<typeof decodeJson>[0]>(
  store: Store,
  key: string,
  schema: S,
  options: Options,
): Promise<ReturnType<typeof decodeJson<S>> | undefined> {
  const found = await store.get(key, options);
  return typeof found === 'string' ? undefined : decodeJson(schema, found.body, 'the record of a job');
}
