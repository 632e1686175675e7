import { ActiveSchema, bucketKeys, decodeJson, IndexEntrySchema, mapBounded, ownerKey, parseIndexKey, RawcloudError } from '../contract';
import type { Active, IndexEntry, Store } from '../contract';

/** Whose jobs names and "the last job" mean. */
export interface Whose {
  readonly owner: string;
  readonly host: string;
}

/** Index entries looked at for a name or the last job. */
const ENTRIES_LOOKED_AT = 200;

/** Open jobs, oldest first. */
export async function activeJobs(store: Store, signal?: AbortSignal): Promise<Active[]> {
  const keys: string[] = [];
  for await (const entry of store.list(bucketKeys.actives, signal ? { signal } : {})) keys.push(entry.key);
  const found = await mapBounded(keys, 16, (key) => store.get(key, signal ? { signal } : {}));
  const actives = found.flatMap((object) =>
    typeof object === 'string' ? [] : [decodeJson(ActiveSchema, object.body, 'an active marker')],
  );
  return actives.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
}

/** Index entries, newest first. */
export async function* indexEntries(store: Store, options: { owner?: string; signal?: AbortSignal } = {}): AsyncGenerator<IndexEntry> {
  const wanted = options.owner === undefined ? undefined : ownerKey(options.owner);
  const signal = options.signal ? { signal: options.signal } : {};
  for await (const { key } of store.list(bucketKeys.indexes, signal)) {
    if (wanted !== undefined && parseIndexKey(key)?.ownerKey !== wanted) continue;
    const found = await store.get(key, signal);
    if (found !== 'absent' && found !== 'unchanged') yield decodeJson(IndexEntrySchema, found.body, 'an index entry');
  }
}

/**
 * The job meant by an id, a unique prefix of an id, or a name; without one, this user's last job on this machine.
 * @throws E_NO_JOB, E_AMBIGUOUS_JOB
 */
export async function findJob(store: Store, which: string | undefined, whose: Whose, signal?: AbortSignal): Promise<Active> {
  if (which === undefined) return lastJob(store, whose, signal);
  const byName = await mine(store, whose, (entry) => entry.name === which, signal);
  const open = await stillOpen(store, byName, signal);
  if (open.length > 1) throw ambiguous(which, open);
  const named = open[0] ?? byName[0];
  return (await byId(store, which, named !== undefined, signal)) ?? named ?? fail(which);
}

async function lastJob(store: Store, whose: Whose, signal: AbortSignal | undefined): Promise<Active> {
  for await (const entry of indexEntries(store, { owner: whose.owner, ...(signal ? { signal } : {}) }))
    if (entry.host === whose.host) return entry;
  throw new RawcloudError('E_NO_JOB', 'you have not run a job from this machine yet', {
    remedy: 'rawcloud ps --all lists the jobs of the account.',
  });
}

async function mine(
  store: Store,
  whose: Whose,
  fits: (entry: IndexEntry) => boolean,
  signal: AbortSignal | undefined,
): Promise<IndexEntry[]> {
  const found: IndexEntry[] = [];
  let looked = 0;
  for await (const entry of indexEntries(store, { owner: whose.owner, ...(signal ? { signal } : {}) })) {
    if (entry.host === whose.host && fits(entry)) found.push(entry);
    if (++looked >= ENTRIES_LOOKED_AT) break;
  }
  return found;
}

async function stillOpen(store: Store, entries: readonly IndexEntry[], signal: AbortSignal | undefined): Promise<IndexEntry[]> {
  const found = await mapBounded(entries, 16, (e) => store.get(bucketKeys.active(e.job), signal ? { signal } : {}));
  return entries.filter((_, i) => found[i] !== 'absent');
}

/** By id, or unless a name fits already by unique prefix of an id. */
async function byId(store: Store, which: string, exactOnly: boolean, signal: AbortSignal | undefined): Promise<Active | undefined> {
  const keys: string[] = [];
  for await (const { key } of store.list(bucketKeys.indexes, signal ? { signal } : {})) {
    const job = parseIndexKey(key)?.job;
    if (job === which) return readEntry(store, key);
    if (!exactOnly && job?.startsWith(which)) keys.push(key);
  }
  if (keys.length === 0 && !exactOnly) return justRecorded(store, which, signal);
  if (keys.length > 1) throw ambiguous(which, await mapBounded(keys.slice(0, 10), 10, (key) => readEntry(store, key)));
  return keys[0] === undefined ? undefined : readEntry(store, keys[0]);
}

/** A job whose client died before it had written the index is known by its marker only. */
async function justRecorded(store: Store, job: string, signal: AbortSignal | undefined): Promise<Active | undefined> {
  const found = await store.get(bucketKeys.active(job), signal ? { signal } : {});
  return found === 'absent' || found === 'unchanged' ? undefined : decodeJson(ActiveSchema, found.body, 'an active marker');
}

async function readEntry(store: Store, key: string): Promise<IndexEntry> {
  const found = await store.get(key);
  if (found === 'absent' || found === 'unchanged') throw new RawcloudError('E_RECORD', `index entry ${key} vanished while it was read`);
  return decodeJson(IndexEntrySchema, found.body, 'an index entry');
}

function ambiguous(which: string, entries: readonly IndexEntry[]): RawcloudError {
  const list = entries.map((e) => `  ${e.job}${e.name ? ` (${e.name})` : ''}, ${e.createdAt}: ${e.command}`).join('\n');
  return new RawcloudError('E_AMBIGUOUS_JOB', `'${which}' fits several jobs:\n${list}`, { remedy: 'Name one of them by its id.' });
}

function fail(which: string): never {
  throw new RawcloudError(
    'E_NO_JOB',
    `there is no job '${which}'; allowed are a job's id, a unique beginning of it, or the name of one of your jobs`,
    {
      remedy: 'rawcloud ps --all lists what there is.',
    },
  );
}
