import { EXIT_CODES, interruptedDecision, mayTryAgain, SPOT_TAKEN_BACK, stateReasonCode, stateReasonRemedy } from '../../contract';
import type { Decision, JobView, Launch, RetryReason, VmView } from '../../contract';

/** The VMs of a job can no longer finish its work. */
export interface Loss {
  readonly reason: RetryReason;
  /** What becomes of the job when nobody tries again. */
  readonly decision: Decision;
  /** EC2 itself says that it is over. */
  readonly gone: boolean;
}

/** Set when no VM of the job's current try can finish its work. */
export function lossOfJob(view: JobView): Loss | undefined {
  const last = lastLaunch(view);
  if (last?.state !== 'launched') return undefined;
  const losses = view.vms.filter((vm) => vm.launch === last.n).map((vm) => lossOfVm(view, vm, last));
  return losses.every((loss) => loss !== undefined) ? losses[0] : undefined;
}

/** Whether the job's retry rules let a new VM start again what was lost. */
export function isTriedAgain(view: JobView, { reason }: Loss): boolean {
  const limits = view.objects.spec?.value.limits;
  return limits !== undefined && mayTryAgain(limits, reason, attemptOf(view));
}

/** VMs of earlier tries that are still on and have nothing more to save. */
export function supersededVms(view: JobView): VmView[] {
  const attempt = attemptOf(view);
  const earlier = view.vms.filter((vm) => (view.objects.launches.get(vm.launch)?.value.attempt ?? 0) < attempt);
  return earlier.filter((vm) => vm.state !== 'gone' && vm.instance?.state !== 'shutting-down' && !isSaving(vm));
}

export function lastLaunch(view: JobView): Launch | undefined {
  return [...view.objects.launches.values()].at(-1)?.value;
}

/** The try that the job is on, 0 first. */
export function attemptOf(view: JobView): number {
  return lastLaunch(view)?.attempt ?? 0;
}

/** A VM under notice that is storing logs and files: EC2 itself ends it within two minutes. */
function isSaving({ beat, silent }: VmView): boolean {
  return beat?.exit?.reason === 'interrupted' && !beat.final && !silent;
}

function lossOfVm(view: JobView, vm: VmView, launch: Launch): Loss | undefined {
  if (vm.state === 'gone' || vm.instance?.state === 'shutting-down' || vm.instance?.state === 'stopped')
    return { ...ended(view, vm), gone: true };
  if (vm.beat?.exit?.reason === 'interrupted') return { ...interrupted(view, vm), gone: false };
  if (vm.beat) {
    const ageMs = vm.beatAgeMs ?? 0;
    if (ageMs < launch.intervals.lostMs) return undefined;
    return { ...lost(`the VM ${vm.id} has not been heard of for ${Math.round(ageMs / 1000)} s`), gone: false };
  }
  const sinceMs = vm.instance ? view.now - vm.instance.launchedAt : 0;
  if (sinceMs < launch.intervals.bootMs) return undefined;
  return { ...bootFailed(`the VM ${vm.id} did not start the job within ${Math.round(launch.intervals.bootMs / 1000)} s`), gone: false };
}

type Kind = Omit<Loss, 'gone'>;

function ended(view: JobView, vm: VmView): Kind {
  const reason = vm.instance?.stateReason;
  if (vm.beat?.exit?.reason === 'interrupted' || SPOT_TAKEN_BACK.includes(stateReasonCode(reason) ?? '')) return interrupted(view, vm);
  const why = reason ? ` (${reason})` : '';
  return vm.beat
    ? lost(`the VM ${vm.id} went away while the job was on it${why}`)
    : bootFailed(`the VM ${vm.id} ended before the job began${why}`, stateReasonRemedy(reason));
}

function interrupted(view: JobView, vm: VmView): Kind {
  return { reason: 'interrupted', decision: interruptedDecision(vm.id, attemptOf(view)) };
}

function lost(message: string): Kind {
  const remedy = 'Output up to then is kept: rawcloud logs. Run it again, or let it start again by itself: --retries N.';
  return { reason: 'lost', decision: { outcome: 'lost', reason: 'vm-lost', message, remedy, exitCode: EXIT_CODES.lost } };
}

function bootFailed(message: string, remedy = 'rawcloud logs --boot shows what the VM said while it booted.'): Kind {
  return { reason: 'lost', decision: { outcome: 'lost', reason: 'boot-failed', message, remedy, exitCode: EXIT_CODES.boot } };
}
