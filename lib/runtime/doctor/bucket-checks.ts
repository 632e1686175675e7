import { bucketKeys, findRawcloudError, decodeJson, FindingsSchema, formatDuration, MARKET_AGES_MS } from '../../contract';
import type { Findings, Store } from '../../contract';
import { utc } from './finding';
import type { Finding, Look } from './finding';

/** Reachable, ours, and where it should be; and whether its policy keeps private grants for VMs. */
export const bucket: Look = async (facts) => {
  const { scaffold, store } = await facts.premises();
  const region = await facts.deps.look.bucketRegion(scaffold.bucket, scaffold.account, facts.signal);
  const data = { bucket: scaffold.bucket, region };
  if (region === scaffold.region)
    return [{ state: 'ok', text: `${scaffold.bucket} in ${region}`, data }, await privateGrants(store, facts.signal)];
  const text = `${scaffold.bucket} is in ${region}, but the scaffolding in ${scaffold.region}: every byte would be paid for`;
  return { state: 'failed', text, remedy: `Use a bucket in ${scaffold.region}.`, data };
};

/** By the end of S3's answer: who says no to whoever runs jobs. */
const BY_BUCKET_POLICY = /explicit deny in a resource-based policy/;

/** By reading a grant that is not there: nobody but a VM may learn even that. */
async function privateGrants(store: Store, signal: AbortSignal | undefined): Promise<Finding> {
  try {
    await store.get(bucketKeys.probe('private'), signal ? { signal } : {});
  } catch (error) {
    const refused = findRawcloudError(error);
    if (refused?.code !== 'E_PERMISSION') throw error;
    const byPolicy = BY_BUCKET_POLICY.test(refused.message);
    if (byPolicy)
      return { state: 'ok', text: 'private grants are for VMs alone, by the policy of the bucket', data: { grants: 'vms only' } };
    const text = 'private grants may not be read with these keys; whether the policy of the bucket says so for all cannot be seen';
    return { state: 'ok', text, data: { grants: 'unknown' } };
  }
  const text = `the policy of the bucket lets these keys read private grants, and so secrets of jobs`;
  const remedy =
    'Add the statement PrivateGrantsForVmsOnly to it, as rawcloud deploy and cdk synth print it: docs/account.md, "A bucket of yours".';
  return { state: 'warning', text, remedy, data: { grants: 'readable' } };
}

/** How old the stored price list is. Runs bring it up to date by themselves. */
export const prices: Look = async (facts) => {
  const premises = await facts.premises();
  const market = await premises.market(facts.signal);
  const at = market?.list?.at;
  if (at === undefined) {
    const text = 'no price list yet; the built-in table is used, and the first run asks AWS';
    return { state: 'ok', text, data: {} };
  }
  const age = facts.deps.now() - at;
  const data = { listAt: new Date(at).toISOString(), types: market?.list?.types.length };
  const text = `AWS price list of ${utc(at)}, ${formatDuration(Math.max(0, age) / 1000)} old`;
  if (age <= 2 * MARKET_AGES_MS.list) return { state: 'ok', text, data };
  const remedy = 'The next run asks AWS, where that is allowed: pricing:GetProducts and the Describe calls of EC2.';
  return { state: 'warning', text, remedy, data };
};

/** A pass is due every five minutes; one that changes nothing leaves a trace once an hour. */
const SILENT_MS = 2 * 3_600_000;

/** When the reaper was last seen, and what it could not prove. */
export const reaper: Look = async (facts) => {
  const { store } = await facts.premises();
  if (facts.deps.local) return { state: 'ok', text: 'the local cloud has none of its own; rawcloud reap --local makes a pass' };
  const { passedAt, findingsKey } = await traces(store, facts.signal);
  if (passedAt === undefined) {
    const remedy =
      'A new scaffolding has its first pass within five minutes, or what --reaper-interval says; afterwards look at the logs of its reaper function.';
    return { state: 'warning', text: 'no pass of the reaper is on record', remedy };
  }
  const silent = facts.deps.now() - passedAt;
  const seen = `last seen ${utc(passedAt)}, ${formatDuration(Math.max(0, silent) / 1000)} ago`;
  const last = findingsKey === undefined ? undefined : await findingsAt(store, findingsKey, facts.signal);
  const data = { passedAt: new Date(passedAt).toISOString(), ...(last && last !== 'refused' ? { findings: last } : {}) };
  if (silent > SILENT_MS) {
    const remedy = 'Look at the logs of the reaper function and at its dead-letter queue; meanwhile: rawcloud reap';
    return { state: 'warning', text: `${seen}: it leaves a trace every hour`, remedy, data };
  }
  return { ...findingsWords(seen, last), data };
};

function findingsWords(seen: string, last: Findings | 'refused' | undefined): Pick<Finding, 'state' | 'text' | 'remedy'> {
  if (last === undefined) return { state: 'ok', text: `${seen}; it has found nothing yet` };
  if (last === 'refused') return { state: 'ok', text: `${seen}; what it found may not be read with these keys` };
  if (last.unproved.length === 0) return { state: 'ok', text: `${seen}; all is proved` };
  const what = last.unproved.map(({ what, error }) => `${what} (${error})`).join('; ');
  return { state: 'warning', text: `${seen}; at ${utc(last.at)} it could not prove: ${what}`, remedy: 'rawcloud reap tries again.' };
}

async function traces(store: Store, signal: AbortSignal | undefined): Promise<{ passedAt?: number; findingsKey?: string }> {
  const options = signal ? { signal } : {};
  let [passedAt, findingsKey]: [number | undefined, string | undefined] = [undefined, undefined];
  // The newest comes first.
  for await (const { key, modified } of store.list(bucketKeys.reaperFindings, options)) {
    [findingsKey, passedAt] = [key, modified];
    break;
  }
  for await (const { modified } of store.list(bucketKeys.reaperMarks, options)) passedAt = Math.max(passedAt ?? 0, modified);
  return { ...(passedAt === undefined ? {} : { passedAt }), ...(findingsKey === undefined ? {} : { findingsKey }) };
}

async function findingsAt(store: Store, key: string, signal: AbortSignal | undefined): Promise<Findings | 'refused' | undefined> {
  try {
    const found = await store.get(key, signal ? { signal } : {});
    if (found === 'absent' || found === 'unchanged') return undefined;
    return decodeJson(FindingsSchema, found.body, 'findings of the reaper');
  } catch (error) {
    if (findRawcloudError(error)?.code === 'E_PERMISSION') return 'refused';
    throw error;
  }
}
