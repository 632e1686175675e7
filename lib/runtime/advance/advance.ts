import { decisionOfResults, EXIT_CODES, MAX_VMS, offersAfter, SETTLE_MS } from '../../contract';
import type { Decision, JobView, Launch, Stored, VmView } from '../../contract';
import { isTriedAgain, lossOfJob, supersededVms } from './losses';
import { refused, refusedBy } from './refusals';

/** What a driver does next. Each is a conditional write or carries a derived token: two drivers doing it at once do it once. */
export type Action =
  /** Call RunInstances with the stored request and token, or call it again. */
  | { readonly type: 'launch'; readonly n: number }
  /** Instances with the launch's token exist, but the record does not name them. */
  | { readonly type: 'adopt'; readonly n: number; readonly ids: readonly string[] }
  /** Nobody may call RunInstances for this record any more. */
  | { readonly type: 'cancel'; readonly n: number; readonly message: string }
  /** Record the next offer of the plan. */
  | { readonly type: 'next-offer'; readonly after: number }
  /** Record a launch for another try: the VMs of this one are lost. */
  | { readonly type: 'try-again'; readonly after: number; readonly interrupted: boolean; readonly message: string }
  | { readonly type: 'grant'; readonly n: number; readonly id: string; readonly vm: string }
  | { readonly type: 'outcome'; readonly outcome: Decision }
  | { readonly type: 'terminate'; readonly ids: readonly string[]; readonly why: string }
  | { readonly type: 'end' };

/** Spec without launch for this long: its client died in between, and no other driver has the plan. */
export const ABANDONED_MS = 5 * 60_000;
/** A launch without any definite answer for this long is given up. */
export const GIVE_UP_MS = 15 * 60_000;
/** What a stopped agent gets beyond hearing of it and the job's own grace, to ship its last output. */
const STOP_MARGIN_MS = 15_000;
/** From outcome to the agent's word that it is ending. */
const ENDING_MARGIN_MS = 30_000;
/** The longest an ending agent may go on saving files; what is kept whole has as long as the VM may live. */
const ENDING_LIMIT_MS = 15 * 60_000;
/** The agent stops the job before its lifetime ends; a driver steps in when that did not happen. */
const LIFETIME_MARGIN_MS = 60_000;

/** The next actions for a job: a pure function of its view. Nothing to do is an empty list. */
export function advance(view: JobView): Action[] {
  if (view.objects.end) return strayActions(view);
  if (view.objects.outcome) return [...endingActions(view), ...endAction(view)];
  const decision = decide(view);
  if (decision) return [{ type: 'outcome', outcome: decision }];
  return [...supersededActions(view), ...retryActions(view), ...launchActions(view), ...grantActions(view)];
}

/** VMs that a record does not name: a launch whose reply was lost, after the job was already over. */
function strayActions(view: JobView): Action[] {
  const ids = view.strays.filter((i) => i.state !== 'terminated' && i.state !== 'shutting-down').map((i) => i.id);
  return ids.length > 0 ? [{ type: 'terminate', ids, why: 'the job is over' }] : [];
}

function lastLaunch(view: JobView): Stored<Launch> | undefined {
  return [...view.objects.launches.values()].at(-1);
}

function launchActions(view: JobView): Action[] {
  const last = lastLaunch(view);
  if (!last) return [];
  const { n, state } = last.value;
  if (state === 'failed') return walksOn(last.value) ? [{ type: 'next-offer', after: n }] : [];
  if (state !== 'intent') return [];
  const found = adoptable(view, last.value);
  if (found.length > 0) return [{ type: 'adopt', n, ids: found }];
  if (!wantsNoVm(view) && view.now - last.modified < GIVE_UP_MS) return [{ type: 'launch', n }];
  return settled(view, last)
    ? [{ type: 'cancel', n, message: wantsNoVm(view) ? 'the job was over before the VM was launched' : 'EC2 gave no answer' }]
    : [];
}

function retryActions(view: JobView): Action[] {
  const loss = lossOfJob(view);
  const last = lastLaunch(view);
  if (!loss || !last || !isTriedAgain(view, loss)) return [];
  return [{ type: 'try-again', after: last.value.n, interrupted: loss.reason === 'interrupted', message: loss.decision.message }];
}

function supersededActions(view: JobView): Action[] {
  const ids = supersededVms(view).map((vm) => vm.id);
  return ids.length > 0 ? [{ type: 'terminate', ids, why: 'another VM has taken over' }] : [];
}

/** Another offer of the plan may be had where this one was refused. */
function walksOn({ failure, offer, rest }: Launch): boolean {
  return failure !== undefined && offersAfter(failure, offer, rest).length > 0;
}

/** Instances that carry the token of a launch whose record is still an intent. */
function adoptable(view: JobView, launch: Launch): string[] {
  return view.strays.filter((i) => i.clientToken === launch.token).map((i) => i.id);
}

/** True when EC2 would show a VM by now if the launch had made one. */
function settled(view: JobView, launch: Stored<Launch>): boolean {
  return view.instancesKnown && view.now - launch.modified >= SETTLE_MS;
}

function wantsNoVm(view: JobView): boolean {
  return view.objects.outcome !== undefined || view.stopRequestedAt !== undefined || lifetimeOver(view, 0);
}

function lifetimeOver(view: JobView, marginMs: number): boolean {
  return view.lifetimeUntil !== undefined && view.now >= view.lifetimeUntil + marginMs;
}

function grantActions(view: JobView): Action[] {
  return view.vms
    .filter((vm) => !vm.granted && vm.state !== 'gone' && vm.state !== 'ending')
    .map((vm) => ({ type: 'grant', n: vm.launch, id: vm.id, vm: vm.vm }));
}

function endingActions(view: JobView): Action[] {
  const now = view.vms.filter((vm) => vm.state !== 'gone' && !beingEnded(vm) && !mayFinish(view, vm)).map((vm) => vm.id);
  const terminate: Action[] = now.length > 0 ? [{ type: 'terminate', ids: now, why: 'the job is over' }] : [];
  return [...terminate, ...(hasIntent(view) ? launchActions(view) : strayActions(view))];
}

function hasIntent(view: JobView): boolean {
  return lastLaunch(view)?.value.state === 'intent';
}

function beingEnded(vm: VmView): boolean {
  return vm.instance?.state === 'shutting-down';
}

/** The agent of a job that came to its own end is left alone while it saves logs and files. */
function mayFinish(view: JobView, vm: VmView): boolean {
  const outcome = view.objects.outcome!;
  const ageMs = view.now - outcome.modified;
  if (!vm.beat || vm.beat.final || vm.silent || outcome.value.outcome === 'lost') return false;
  if (vm.beat.phase !== 'ending') return ageMs < ENDING_MARGIN_MS;
  const keepsWhole = (view.objects.spec?.value.outputs.length ?? 0) > 0;
  return ageMs < ENDING_LIMIT_MS || (keepsWhole && !lifetimeOver(view, LIFETIME_MARGIN_MS));
}

/** Only what EC2 itself shows as terminated, or has forgotten, is proof. */
function endAction(view: JobView): Action[] {
  if (!view.instancesKnown || hasIntent(view)) return [];
  const gone = view.vms.every((vm) => vm.state === 'gone') && view.strays.every((i) => i.state === 'terminated');
  return gone && !callMayBeUnderWay(view) ? [{ type: 'end' }] : [];
}

/**
 * A cancelled launch, or one for which there was no room, may have been called before by someone who then died: its VM
 * would show within the settling time.
 */
function callMayBeUnderWay(view: JobView): boolean {
  const last = lastLaunch(view);
  const failure = last?.value.failure;
  const isOurWord = failure?.class === 'cancelled' || failure?.code === MAX_VMS;
  return last !== undefined && isOurWord && view.now - last.modified < SETTLE_MS;
}

function decide(view: JobView): Decision | undefined {
  return fromResults(view) ?? notLaunched(view) ?? fromVms(view) ?? stopped(view) ?? outlived(view);
}

function fromResults(view: JobView): Decision | undefined {
  const spec = view.objects.spec?.value;
  if (!spec || view.tasksDone < spec.tasks.count) return undefined;
  return decisionOfResults([...view.objects.dones.values()].map((d) => d.value));
}

function fromVms(view: JobView): Decision | undefined {
  const loss = lossOfJob(view);
  if (!loss) return undefined;
  if (loss.gone && view.stopRequestedAt !== undefined) return stopDecision();
  return isTriedAgain(view, loss) && !wantsNoVm(view) ? undefined : loss.decision;
}

function notLaunched(view: JobView): Decision | undefined {
  const last = lastLaunch(view);
  if (!last) return abandoned(view);
  const { state, failure } = last.value;
  if (state !== 'failed' || !failure || walksOn(last.value)) return undefined;
  if (failure.class === 'cancelled') {
    return stopped(view) ?? outlived(view) ?? refused('launch-given-up', `EC2 gave no definite answer to the launch: ${failure.message}`);
  }
  return refusedBy(view, failure);
}

function abandoned(view: JobView): Decision | undefined {
  if (view.stopRequestedAt !== undefined) return stopDecision();
  const since = view.objects.spec?.modified ?? view.objects.active?.modified;
  return since === undefined || view.now - since < ABANDONED_MS
    ? undefined
    : refused('abandoned', 'the client ended before it had recorded a launch; no VM was started', 'Run it again.');
}

function stopDecision(): Decision {
  return { outcome: 'stopped', reason: 'stop-requested', message: 'stopped on request', exitCode: EXIT_CODES.stopped };
}

/** A running agent stops the job itself and says so; a driver decides when there is none, or it does not. */
function stopped(view: JobView): Decision | undefined {
  const control = view.objects.control;
  if (view.stopRequestedAt === undefined || !control) return undefined;
  const launch = lastLaunch(view)?.value;
  if (launch?.state === 'intent') return undefined;
  const atWork = view.vms.some((vm) => vm.beat && !vm.silent && vm.state !== 'gone');
  const hearsWithinMs = launch?.intervals.idleControlMs ?? 0;
  const graceMs = hearsWithinMs + (view.objects.spec?.value.limits.graceS ?? 0) * 1000 + STOP_MARGIN_MS;
  return atWork && view.now - view.stopRequestedAt < graceMs ? undefined : stopDecision();
}

function outlived(view: JobView): Decision | undefined {
  const launch = lastLaunch(view)?.value;
  if (launch?.state === 'intent') return undefined;
  if (!lifetimeOver(view, LIFETIME_MARGIN_MS)) return undefined;
  return {
    outcome: 'timeout',
    reason: 'lifetime',
    message: 'the VM reached the end of its lifetime',
    remedy: 'Give it more with --max-lifetime or rawcloud extend.',
    exitCode: EXIT_CODES.timeout,
  };
}
