import { bucketKeys, encodeGrant, encodeJson, jobKeys, decodeJson, RawcloudError, SealedSchema } from '../../contract';
import type { Grant, JobView, Launch, Sealed, Store, Stored } from '../../contract';

/**
 * Writes a launch record over the one that was read, rev + 1.
 * @returns false when someone else wrote first
 */
export async function updateLaunch(store: Store, prefix: string, read: Stored<Launch>, change: Partial<Launch>): Promise<boolean> {
  const next: Launch = { ...read.value, ...change, rev: read.value.rev + 1 };
  const written = await store.put(jobKeys.launch(prefix, next.n), encodeJson(next), { if: { etag: read.etag } });
  return written !== 'lost';
}

/** What drivers hand to VMs. @throws E_RECORD when it is gone though the job is not over */
export async function readSealed(store: Store, job: string): Promise<Sealed> {
  const found = await store.get(bucketKeys.sealed(job));
  if (found === 'absent' || found === 'unchanged') {
    throw new RawcloudError('E_RECORD', `the sealed object of job ${job} is missing, so its VM cannot be given what it needs`);
  }
  return decodeJson(SealedSchema, found.body, 'the sealed object');
}

/** Puts a VM's grant. Writing the same one twice does no harm: the agent deletes what it has read. */
export async function writeGrant(
  store: Store,
  view: JobView,
  launch: Launch,
  vm: string,
  sealed: Sealed,
  { serial = 0, exec = false }: { readonly serial?: number; readonly exec?: boolean } = {},
): Promise<void> {
  const grant: Grant = {
    v: 1,
    prefix: view.prefix,
    nodeSha256: launch.node.sha256,
    agentSha256: launch.agent.sha256,
    attempt: launch.attempt ?? 0,
    serial,
    variables: sealed.variables,
    ...(sealed.credentials ? { credentials: sealed.credentials } : {}),
    ...(sealed.environments ? { environments: sealed.environments } : {}),
    ...(sealed.homeFiles ? { homeFiles: sealed.homeFiles } : {}),
    ...(sealed.builderSecrets ? { builderSecrets: sealed.builderSecrets } : {}),
    intervals: launch.intervals,
    lifetimeUntil: view.lifetimeUntil ?? view.now,
    ...(exec ? { exec } : {}),
  };
  await store.put(bucketKeys.grant(vm), encodeGrant(grant));
}
