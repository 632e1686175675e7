import {
  bucketKeys,
  encodeJson,
  findRawcloudError,
  jobEnded,
  jobKeys,
  mapBounded,
  offersAfter,
  refusalWords,
  vmUserId,
} from '../../contract';
import type { FailureClass, Instance, JobView, Launch, Offer, Outcome, Stored, Timings } from '../../contract';
import { billedVm, jobBill } from '../cost/job-bill';
import { recompileLaunch } from '../launch/compile';
import { checkRoom } from '../launch/room';
import type { Action } from '../advance/advance';
import { event } from './deps';
import { explainQuota } from './quota-failure';
import { spotHistories } from './spot-bill';
import type { DriverDeps } from './deps';
import { readSealed, updateLaunch, writeGrant } from './records';

/** Answers after which it is certain that no VM was launched. All others leave the outcome open: the same request is sent again. */
const DEFINITE: readonly FailureClass[] = ['capacity', 'quota', 'permission', 'request'];

/** Carries one action out. Losing a race is no error: the next look at the job shows what the winner did. */
export async function perform(deps: DriverDeps, view: JobView, action: Action): Promise<void> {
  switch (action.type) {
    case 'launch':
      return launch(deps, view, launchRecord(view, action.n));
    case 'adopt':
      return recordLaunched(deps, view, launchRecord(view, action.n), action.ids);
    case 'cancel':
      return fail(deps, view, launchRecord(view, action.n), { class: 'cancelled', code: 'Cancelled', message: action.message });
    case 'next-offer':
      return nextOffer(deps, view, launchRecord(view, action.after).value);
    case 'try-again':
      return tryAgain(deps, view, launchRecord(view, action.after).value, action);
    case 'grant':
      return grant(deps, view, action);
    case 'outcome':
      return decide(deps, view, action.outcome);
    case 'terminate':
      return deps.compute.terminate(action.ids);
    case 'end':
      return end(deps, view);
  }
}

function launchRecord(view: JobView, n: number): Stored<Launch> {
  const record = view.objects.launches.get(n);
  if (!record) throw new Error(`launch ${n} of job ${view.job} is not among its records`);
  return record;
}

async function launch(deps: DriverDeps, view: JobView, record: Stored<Launch>): Promise<void> {
  deps.emit?.(event(deps.clock, view.job, 'launch.attempt', { n: record.value.n, attempt: record.value.rev }));
  const from = deps.clock.now();
  let instances: readonly Instance[];
  try {
    await checkRoom(deps, record.value.token);
    instances = await deps.compute.launch(record.value.request);
  } catch (error) {
    return launchFailed(deps, view, record, error);
  }
  const ids = instances.map((i) => i.id);
  await recordLaunched(deps, view, record, ids, { launch: [from, deps.clock.now()] });
}

async function launchFailed(deps: DriverDeps, view: JobView, record: Stored<Launch>, error: unknown): Promise<void> {
  const known = findRawcloudError(error);
  const failure = known?.data['class'] as FailureClass | undefined;
  if (!known || !failure || !DEFINITE.includes(failure)) throw error;
  const code = typeof known.data['awsCode'] === 'string' ? known.data['awsCode'] : known.code;
  const remedy = known.remedy ? { remedy: known.remedy } : {};
  return fail(
    deps,
    view,
    record,
    await explainQuota(deps, record.value.offer, { class: failure, code, message: known.message, ...remedy }),
  );
}

async function fail(deps: DriverDeps, view: JobView, record: Stored<Launch>, failure: NonNullable<Launch['failure']>): Promise<void> {
  if (!(await updateLaunch(deps.store, view.prefix, record, { state: 'failed', failure }))) return;
  const { code, message } = failure;
  deps.emit?.(event(deps.clock, view.job, 'launch.outcome', { n: record.value.n, state: 'failed', instances: [], code, message }));
}

async function recordLaunched(
  deps: DriverDeps,
  view: JobView,
  record: Stored<Launch>,
  ids: readonly string[],
  timed: Timings = {},
): Promise<void> {
  const instances = ids.map((id) => ({ id, vm: vmUserId(record.value.roleId ?? deps.scaffold.roleId, id), granted: false }));
  const timings = { ...record.value.timings, ...timed };
  await updateLaunch(deps.store, view.prefix, record, { state: 'launched', instances, timings });
  // When that write was lost, another driver has recorded the same VMs, or has cancelled: `advance` then ends them as strays.
  deps.emit?.(event(deps.clock, view.job, 'launch.outcome', { n: record.value.n, state: 'launched', instances: ids }));
}

async function nextOffer(deps: DriverDeps, view: JobView, last: Launch): Promise<void> {
  const offers = last.failure ? offersAfter(last.failure, last.offer, last.rest) : [];
  if (offers.length === 0 || !last.failure) throw new Error(`launch ${last.n} of job ${view.job} leaves no offer to go on with`);
  return recordNext(deps, view, last, { offers, attempt: last.attempt ?? 0, reason: refusalWords(last.failure, last.offer) });
}

/** All offers of the plan are open again; a pool that has just taken a VM back comes last. */
async function tryAgain(deps: DriverDeps, view: JobView, last: Launch, lost: { interrupted: boolean; message: string }): Promise<void> {
  const first = launchRecord(view, 0).value;
  const planned = [first.offer, ...first.rest];
  const taken = lost.interrupted ? planned.filter((offer) => isSamePool(offer, last.offer)) : [];
  const offers = [...planned.filter((offer) => !taken.includes(offer)), ...taken];
  return recordNext(deps, view, last, { offers, attempt: (last.attempt ?? 0) + 1, reason: lost.message });
}

function isSamePool(a: Offer, b: Offer): boolean {
  return a.vmType === b.vmType && a.zone === b.zone && a.purchase === b.purchase;
}

interface Next {
  readonly offers: readonly Offer[];
  readonly attempt: number;
  readonly reason: string;
}

async function recordNext(deps: DriverDeps, view: JobView, last: Launch, { offers, attempt, reason }: Next): Promise<void> {
  const n = last.n + 1;
  const [offer, ...rest] = offers as [Offer, ...Offer[]];
  const request = recompileLaunch(last.request, view.job, n, offer, deps.scaffold);
  const { failure: _failure, ...kept } = last;
  const token = tokenOf(request);
  const next: Launch = { ...kept, rev: 0, n, attempt, offer, reason, rest, request, token, state: 'intent', instances: [] };
  const written = await deps.store.put(jobKeys.launch(view.prefix, n), encodeJson(next), { if: 'absent' });
  if (written !== 'lost') deps.emit?.(event(deps.clock, view.job, 'launch.intent', { n, attempt, offer, reason }));
}

function tokenOf(request: string): string {
  return (JSON.parse(request) as { ClientToken: string }).ClientToken;
}

async function grant(deps: DriverDeps, view: JobView, action: { n: number; id: string; vm: string }): Promise<void> {
  const record = launchRecord(view, action.n);
  const exec = deps.scaffold.exec !== undefined;
  await writeGrant(deps.store, view, record.value, action.vm, await readSealed(deps.store, view.job), { exec });
  const instances = record.value.instances.map((i) => (i.id === action.id ? { ...i, granted: true } : i));
  await updateLaunch(deps.store, view.prefix, record, { instances });
}

async function decide(deps: DriverDeps, view: JobView, decision: Omit<Outcome, 'v' | 'by' | 'at'>): Promise<void> {
  const outcome: Outcome = { v: 1, ...decision, by: deps.by, at: view.now };
  await deps.store.put(jobKeys.outcome(view.prefix), encodeJson(outcome), { if: 'absent' });
}

async function end(deps: DriverDeps, view: JobView): Promise<void> {
  const vms = view.vms.map((vm) => {
    const { launchedAt, endedAt, endSeen } = billedVm(view, vm);
    return { id: vm.id, launchedAt, endedAt, endSeen };
  });
  const record = { v: 1, at: view.now, by: deps.by, bill: jobBill(view, deps.store.requests, await spotHistories(deps, view)), vms };
  await deps.store.put(jobKeys.end(view.prefix), encodeJson(record), { if: 'absent' });
}

/** Requests at once when an ended job is cleaned up. */
const CLEANED_AT_ONCE = 8;

/** Removes what only a live job needs, the active marker last, so that an interrupted cleaning is taken up again. */
export async function cleanUp(deps: DriverDeps, view: JobView): Promise<void> {
  const secrets = [...view.vms.map((vm) => bucketKeys.grant(vm.vm)), bucketKeys.sealed(view.job)];
  const cleaning = [...secrets.map((key) => () => deps.store.delete(key)), () => writeLedger(deps, view)];
  await mapBounded(cleaning, CLEANED_AT_ONCE, (clean) => clean());
  const event = jobEnded(deps.scaffold.name, view);
  // Only the reaper may speak for the scaffolding. Until it has, the job's marker stays: so the end is told at least once.
  if (event && !deps.bus) return;
  if (event) await deps.bus?.put(event);
  await deps.store.delete(bucketKeys.active(view.job));
}

async function writeLedger(deps: DriverDeps, view: JobView): Promise<void> {
  const { spec, outcome, end: ended } = view.objects;
  if (!spec || !outcome || !ended) return;
  const { job, name, owner, createdAt, tags } = spec.value;
  const line = {
    v: 1,
    job,
    ...(name ? { name } : {}),
    owner,
    createdAt,
    endedAt: new Date(ended.value.at).toISOString(),
    outcome: outcome.value.outcome,
    tags,
    bill: ended.value.bill,
  };
  await deps.store.put(bucketKeys.ledger(Date.parse(createdAt), job), encodeJson(line), { if: 'absent' });
}
