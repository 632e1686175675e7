import { findRoot } from '../../capture/root';
import {
  bucketKeys,
  environmentId,
  environmentMark,
  mapBounded,
  parseEnvironmentKey,
  RawcloudError,
  readEnvironmentUse,
} from '../../contract';
import type { EnvironmentUse, Store, StoreEntry } from '../../contract';
import type { DeletedEnvironments, KeptEnvironment } from '../api';
import type { ClientDeps } from '../deps';
import { cacheOwner, knownEnvironmentSecret } from '../environment-secret';

interface Options {
  readonly signal?: AbortSignal;
}

/** Requests at once. */
const AT_ONCE = 16;

/** What lies under the key of one environment. */
interface Found {
  readonly key: string;
  readonly id: string;
  readonly manifest: StoreEntry | undefined;
  readonly packs: readonly StoreEntry[];
  readonly use: StoreEntry | undefined;
  readonly noted: EnvironmentUse | undefined;
}

type Bucket = Pick<Store, 'list' | 'get' | 'delete'>;

type Deps = Pick<ClientDeps, 'owner' | 'cwd' | 'home'> & { readonly store: Bucket };

/** Environments that VMs have kept, the one that was used last first. */
export async function keptEnvironments(deps: Deps, options: Options = {}): Promise<KeptEnvironment[]> {
  const [found, marks] = await Promise.all([look(deps.store, options), ownMarks(deps, options)]);
  return found.flatMap((one) => describe(one, marks) ?? []).sort((a, b) => b.usedAt - a.usedAt);
}

/**
 * Deletes environments, their manifests first, so that nobody restores half of one; packs that others name stay.
 * @param which ids, or the beginnings of some
 * @throws E_USAGE for what is no environment: then nothing is deleted
 */
export async function deleteEnvironments(deps: Deps, which: readonly string[], options: Options = {}): Promise<DeletedEnvironments> {
  const { store } = deps;
  const [found, marks] = await Promise.all([look(store, options), ownMarks(deps, options)]);
  const targets = pick(found, which);
  const names = new Set(targets.map(({ id }) => id));
  const stay = found.filter(({ id, manifest }) => manifest !== undefined && !names.has(id));
  const needed = new Set(stay.flatMap(({ noted }) => noted?.packsOf ?? []));
  const records = targets.flatMap(({ manifest, use }) => [manifest, use]).filter((entry) => entry !== undefined);
  for (const { manifest } of targets) if (manifest) await store.delete(manifest.key, options);
  await mapBounded(targets, AT_ONCE, async ({ use }) => (use ? store.delete(use.key, options) : undefined), options);
  const packs = packsToDelete(found, targets, needed);
  await mapBounded(packs, AT_ONCE, ({ key }) => store.delete(key, options), options);
  const gone = [...records, ...packs];
  return {
    environments: targets.flatMap((one) => describe(one, marks) ?? []),
    objects: gone.length,
    bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
    keptForOthers: targets.filter(({ id, packs: own }) => needed.has(id) && own.length > 0).map(({ id }) => id),
  };
}

/** Those of the targets, and those of what went before them and stayed for their sake. */
function packsToDelete(found: readonly Found[], targets: readonly Found[], needed: ReadonlySet<string>): StoreEntry[] {
  const theirs = new Set(targets.flatMap(({ noted }) => noted?.packsOf ?? []));
  const left = found.filter(({ id, manifest }) => manifest === undefined && theirs.has(id));
  return [...targets, ...left].filter(({ id }) => !needed.has(id)).flatMap(({ packs }) => packs);
}

function pick(found: readonly Found[], which: readonly string[]): Found[] {
  const there = found.filter(({ manifest }) => manifest !== undefined);
  const picked = which.map((text) => ({ text, fits: there.filter(({ id }) => text !== '' && id.startsWith(text)) }));
  const problems = picked.flatMap(({ text, fits }) => {
    if (fits.length === 1) return [];
    return [fits.length === 0 ? `'${text}' is no environment` : `'${text}' fits ${fits.map(({ id }) => id).join(', ')}`];
  });
  if (problems.length > 0)
    throw new RawcloudError('E_USAGE', `${problems.join('; ')}: nothing was deleted`, {
      remedy: 'rawcloud env list --all shows what there is.',
    });
  return [...new Set(picked.flatMap(({ fits }) => fits))];
}

async function look(store: Bucket, options: Options): Promise<Found[]> {
  const byKey = new Map<string, { manifest?: StoreEntry; use?: StoreEntry; packs: StoreEntry[] }>();
  for await (const entry of store.list(bucketKeys.environments, options)) {
    const parsed = parseEnvironmentKey(entry.key);
    if (!parsed) continue;
    const own = byKey.get(parsed.key) ?? { packs: [] };
    byKey.set(parsed.key, own);
    if (parsed.kind === 'pack') own.packs.push(entry);
    else own[parsed.kind] = entry;
  }
  return mapBounded(
    [...byKey],
    AT_ONCE,
    async ([key, { manifest, use, packs }], _index, signal) => {
      const noted = use && (await readUse(store, use.key, { signal }));
      return { key, id: environmentId(key), manifest, use, packs, noted };
    },
    options,
  );
}

/** @returns undefined when it has gone meanwhile, or another version wrote it */
async function readUse(store: Bucket, key: string, options: Options): Promise<EnvironmentUse | undefined> {
  const found = await store.get(key, options);
  return typeof found === 'string' ? undefined : readEnvironmentUse(found.body);
}

interface Marks {
  /** Absent where there is nothing of ours. */
  readonly owner?: string;
  /** Absent where jobs cannot start. */
  readonly project?: string;
}

async function ownMarks({ store, owner, cwd, home }: Deps, options: Options): Promise<Marks> {
  const secret = await knownEnvironmentSecret(store, cacheOwner(owner), options);
  if (secret === undefined) return {};
  const root = await findRoot(cwd, { home }).catch((error: unknown) => {
    if (error instanceof RawcloudError && error.code === 'E_ROOT_REFUSED') return undefined;
    throw error;
  });
  return {
    owner: environmentMark(secret, 'owner'),
    ...(root === undefined ? {} : { project: environmentMark(secret, 'project', root) }),
  };
}

/** @returns undefined for what is left of one */
function describe({ id, manifest, packs, use, noted }: Found, marks: Marks): KeptEnvironment | undefined {
  if (!manifest) return undefined;
  const isYours = noted !== undefined && noted.owner === marks.owner;
  return {
    id,
    ...(noted ? { kind: noted.kind, platform: noted.platform, packages: noted.packages, bytes: noted.bytes } : {}),
    storedBytes: packs.reduce((sum, { bytes }) => sum + bytes, manifest.bytes),
    builtAt: noted?.builtAt ?? manifest.modified,
    usedAt: use?.modified ?? manifest.modified,
    isYours,
    isHere: isYours && marks.project !== undefined && noted.projects.includes(marks.project),
  };
}
