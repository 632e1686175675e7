import { bucketKeys, mapBounded } from '../../contract';
import type { Ref, Store } from '../../contract';
import type { Artifact } from '../deps';

/** Puts what a VM boots from into the bucket, unless it is there or on the VM. @returns its reference */
export async function uploadArtifact(store: Store, artifact: Artifact, signal?: AbortSignal): Promise<Ref> {
  if (artifact.shipped) return artifact.ref;
  const key = bucketKeys.agent(artifact.ref.sha256);
  const options = signal ? { signal } : {};
  const there = await store.get(key, { range: { start: 0, end: 0 }, ...options });
  if (there === 'absent') await store.putStream(key, artifact.open(), options);
  return artifact.ref;
}

/** Both artifacts at once. */
export async function uploadArtifacts(store: Store, artifacts: readonly Artifact[], signal?: AbortSignal): Promise<Ref[]> {
  return mapBounded(artifacts, 2, (artifact) => uploadArtifact(store, artifact, signal));
}
