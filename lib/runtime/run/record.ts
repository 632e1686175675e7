import { bucketKeys, encodeJson, jobKeys, RawcloudError } from '../../contract';
import type { Active, Control, IndexEntry, JobSpec, Launch, Sealed, Store } from '../../contract';

/** All records of a new job. */
export interface NewJob {
  readonly prefix: string;
  readonly spec: JobSpec;
  readonly sealed: Sealed;
  readonly launch: Launch;
  readonly host: string;
  /** Someone will watch from the start. */
  readonly watched: boolean;
  /** Others may be recording the same job at this moment: what they wrote first stands. @default false */
  readonly shared?: boolean;
}

/** A watcher says this far ahead that it watches. */
export const WATCH_AHEAD_MS = 120_000;

/**
 * Puts a job on record, before any EC2 call. The active marker goes first and the launch intent last: whoever dies in
 * between leaves something that any driver can bring to an end, and never a VM that is not on record.
 */
export async function recordJob(store: Store, job: NewJob): Promise<void> {
  const { prefix, spec } = job;
  const active: Active = {
    v: 1,
    job: spec.job,
    prefix,
    ...(spec.name ? { name: spec.name } : {}),
    owner: spec.owner,
    createdAt: spec.createdAt,
  };
  const entry: IndexEntry = { ...active, command: spec.work.argv.join(' '), host: job.host };
  const control: Control = {
    v: 1,
    rev: 0,
    cancelled: [],
    ...(job.watched ? { watchUntil: Date.parse(spec.createdAt) + WATCH_AHEAD_MS } : {}),
  };
  const write = job.shared ? first : once;
  await write(store, bucketKeys.active(spec.job), active);
  await Promise.all([
    write(store, bucketKeys.index(Date.parse(spec.createdAt), spec.owner, spec.job), entry),
    write(store, bucketKeys.sealed(spec.job), job.sealed),
    write(store, jobKeys.spec(prefix), spec),
    write(store, jobKeys.control(prefix), control),
  ]);
  await write(store, jobKeys.launch(prefix, job.launch.n), job.launch);
}

async function first(store: Store, key: string, record: unknown): Promise<void> {
  await store.put(key, encodeJson(record), { if: 'absent' });
}

/** The key holds 128 random bits or a new job's id: whoever wrote it before us was ourselves, with a lost reply. */
async function once(store: Store, key: string, record: unknown): Promise<void> {
  const body = encodeJson(record);
  const written = await store.put(key, body, { if: 'absent' });
  if (written !== 'lost') return;
  const found = await store.get(key);
  if (typeof found !== 'string' && Buffer.from(found.body).equals(body)) return;
  throw new RawcloudError('E_RECORD', `another record already lies where the new job's ${key.split('/').at(-1)} belongs`, {
    remedy: 'Run it again.',
  });
}
