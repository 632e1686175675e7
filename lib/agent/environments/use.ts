import { bucketKeys, encodeJson, environmentId, environmentMark, readEnvironmentUse, USE_NOTED_EVERY_MS } from '../../contract';
import type { Environment, EnvironmentUse, Layer } from '../../contract';
import { sizeOf } from '../../store/environments/manifest';
import { textOf } from '../report';
import type { CacheDeps } from './making';

/** Projects that an environment is known by; those before them have not used it lately. */
const MOST_PROJECTS = 20;

export interface Used {
  readonly key: string;
  readonly layer: Layer;
  readonly environment: Environment;
  /** Milliseconds since 1970. */
  readonly builtAt: number;
  /** It is new, and what is on record is of the one that it has replaced. */
  readonly isNew: boolean;
}

/** Notes that an environment is used, once a day, and for each project once: for people, who look at what they keep. No VM needs it. */
export async function noteUse(deps: CacheDeps, used: Used, signal: AbortSignal): Promise<void> {
  try {
    await note(deps, used, signal);
  } catch (error) {
    if (!signal.aborted) deps.say(`that the environment is used could not be noted: ${textOf(error)}`);
  }
}

async function note({ store, cache }: CacheDeps, used: Used, signal: AbortSignal): Promise<void> {
  const name = bucketKeys.environmentUse(used.key);
  const found = await store.get(name, { signal });
  const there = typeof found === 'string' ? undefined : found;
  const before = there && readEnvironmentUse(there.body);
  const project = environmentMark(cache.secret, 'project', cache.project);
  const isFresh = there !== undefined && there.now - there.modified < USE_NOTED_EVERY_MS;
  if (before && !used.isNew && isFresh && before.projects.includes(project)) return;
  const { packages, bytes, storedBytes } = sizeOf(used.environment.parts);
  const use: EnvironmentUse = {
    v: 1,
    kind: used.layer.kind,
    platform: used.layer.platform,
    packages,
    bytes,
    storedBytes,
    builtAt: before && !used.isNew ? before.builtAt : used.builtAt,
    owner: environmentMark(cache.secret, 'owner'),
    projects: [project, ...(before?.projects ?? []).filter((other) => other !== project)].slice(0, MOST_PROJECTS),
    packsOf: packsOf(used),
  };
  // Who was first has noted as good as the same.
  await store.put(name, encodeJson(use), { if: there ? { etag: there.etag } : 'absent', signal });
}

/** Other environments that its manifest names packs of. */
function packsOf({ key, environment }: Used): string[] {
  const keys = new Set(environment.packs.map(({ name }) => name.slice(0, name.indexOf('/'))));
  keys.delete(key);
  return [...keys].map(environmentId).sort();
}
