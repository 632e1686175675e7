import { rm } from 'node:fs/promises';
import path from 'node:path';
import { bucketKeys, mapBounded, RawcloudError } from '../../contract';
import type { Arch, EventData, EventType, Ref, Store } from '../../contract';
import { isKept, lookAtSweep, settleContent } from '../../store/keep';
import type { SweepSeen } from '../../store/keep';
import type { RunRequest } from '../api';
import type { Artifact, ClientDeps } from '../deps';
import { syncTree, uploadContent, uploadStream } from '../sync/sync';
import type { Synced } from '../sync/sync';
import type { Captured } from './capture';

export interface Uploading {
  readonly asked: RunRequest;
  readonly captured: Captured;
  readonly arch: Arch;
  /** As it was before any of this began. */
  readonly sweep: SweepSeen;
  readonly say: <T extends EventType>(type: T, data: EventData[T]) => void;
  readonly signal: AbortSignal | undefined;
}

/** What a job's VMs read from the bucket. */
export interface Uploaded {
  readonly tree: Ref;
  readonly stdin: Ref | undefined;
  readonly agent: Ref;
  readonly node: Ref;
}

/** The reaper may have deleted, just now, what was believed to be there: then it is sent again. */
const TRIES = 3;

/** Brings all that a job's VMs read into the bucket: what is not there, and nothing else. */
export async function upload(deps: ClientDeps, uploading: Uploading): Promise<Uploaded> {
  const { asked, say, signal } = uploading;
  const options = signal ? { signal } : {};
  let before = uploading.sweep;
  const onWait = (): void =>
    say('notice', { level: 'info', text: 'the reaper is deleting old content that this job needs; waiting for it' });
  for (let tries = 1; ; tries++) {
    const { refs, keys } = await uploadRepeatable(deps, uploading);
    const gone = await settleContent(deps, before, keys, { ...options, onWait });
    if (gone.length === 0) return { ...refs, stdin: await uploadStdin(deps, asked.stdin, options) };
    if (tries === TRIES) throw sweptAway(gone.length);
    // What this client believes of the bucket is no longer so.
    await rm(cacheFileOf(deps), { force: true });
    before = await lookAtSweep(deps.store, options);
  }
}

/** What is piped in can be read once, so it goes last and cannot be sent again. */
async function uploadStdin(
  deps: ClientDeps,
  stdin: RunRequest['stdin'],
  options: { readonly signal?: AbortSignal },
): Promise<Ref | undefined> {
  if (!stdin) return undefined;
  const before = await lookAtSweep(deps.store, options);
  const ref = await uploadStream(deps.store, stdin, path.join(deps.cacheDir, 'stdin'), options);
  const gone = await settleContent(deps, before, new Set([bucketKeys.file(ref.sha256)]), options);
  if (gone.length > 0) throw sweptAway(gone.length);
  return ref;
}

async function uploadRepeatable(
  deps: ClientDeps,
  { asked, captured, arch, say, signal }: Uploading,
): Promise<{ refs: Omit<Uploaded, 'stdin'>; keys: Set<string> }> {
  const { store } = deps;
  const options = signal ? { signal } : {};
  const artifacts = async (): Promise<Artifact[]> => {
    const both = [await deps.agentArtifact(signal), await deps.nodeArtifact(arch, signal)];
    await mapBounded(both, 2, (artifact) => uploadArtifact(store, artifact, signal));
    return both;
  };
  const tree = async (): Promise<Synced> => {
    const synced = await syncTree({
      store,
      root: captured.root,
      include: captured.include,
      uploads: captured.uploads,
      home: deps.home,
      env: deps.env,
      cacheFile: cacheFileOf(deps),
      treeCacheDirectory: path.join(deps.cacheDir, 'trees', deps.scaffold.bucket),
      ...(deps.readerProgram ? { readerProgram: deps.readerProgram } : {}),
      now: () => deps.clock.now(),
      onProgress: (progress) => say('sync.progress', progress),
      ...(asked.confirmLargeTree ? { confirm: asked.confirmLargeTree } : {}),
      ...options,
    });
    for (const notice of synced.notices) say('notice', notice);
    return synced;
  };
  const [synced, [agent, node]] = await Promise.all([tree(), artifacts()]);
  for (const content of captured.contents) await uploadContent(store, content.bytes, options);
  const files = [...synced.objects, ...captured.contents.map(({ sha256 }) => sha256)].map(bucketKeys.file);
  const boots = [agent!, node!].filter(({ shipped }) => !shipped).map(({ ref }) => bucketKeys.agent(ref.sha256));
  return { refs: { tree: synced.tree, agent: agent!.ref, node: node!.ref }, keys: new Set([...files, ...boots]) };
}

function cacheFileOf({ cacheDir, scaffold }: ClientDeps): string {
  return path.join(cacheDir, 'blobs', `${scaffold.bucket}.jsonl`);
}

function sweptAway(objects: number): RawcloudError {
  return new RawcloudError('E_INTEGRITY', `${objects} objects were deleted from the bucket while the job's content was sent`, {
    remedy: 'Run it again. If it happens again, look whether a lifecycle rule or a person deletes objects in the bucket.',
    retryable: true,
  });
}

/** Puts what a VM boots from into the bucket, unless it is there or on the VM. */
async function uploadArtifact(store: Store, artifact: Artifact, signal?: AbortSignal): Promise<void> {
  if (artifact.shipped) return;
  const key = bucketKeys.agent(artifact.ref.sha256);
  const options = signal ? { signal } : {};
  if (!(await isKept(store, key, options))) await store.putStream(key, artifact.open(), options);
}
