import type { JobView, VmView } from '../../contract';
import type { JobResult, JobStatus, JobSummary } from '../api';
import { jobBill } from '../cost/job-bill';
import { jobTimings } from './timings';

/** One line of `ps`, from a view. */
export function summarize(view: JobView): JobSummary {
  const { spec, active, outcome, end } = view.objects;
  const facts = spec?.value ?? active?.value;
  const vmType = view.vms.at(-1)?.offer.vmType;
  return {
    job: view.job,
    ...(facts?.name ? { name: facts.name } : {}),
    owner: facts?.owner ?? '',
    command: spec ? spec.value.work.argv.join(' ') : '',
    createdAt: facts ? Date.parse(facts.createdAt) : view.now,
    state: view.state,
    ...(outcome ? { outcome: outcome.value.outcome, exitCode: outcome.value.exitCode } : {}),
    ...(vmType ? { vmType } : {}),
    usd: end ? end.value.bill.usd : jobBill(view).usd,
  };
}

/** What `status` shows, from a view. */
export function statusOf(view: JobView): JobStatus {
  const { spec, outcome, end } = view.objects;
  const beat = view.vms.findLast((vm) => vm.beat)?.beat;
  return {
    ...summarize(view),
    argv: spec?.value.work.argv ?? [],
    cwd: spec?.value.work.cwd ?? '',
    vms: view.vms.map((vm) => vmStatus(view, vm)),
    launches: [...view.objects.launches.values()].map(({ value: l }) => ({
      n: l.n,
      offer: l.offer,
      state: l.state,
      ...(l.reason ? { reason: l.reason } : {}),
      ...(l.failure ? { failure: `${l.failure.code}: ${l.failure.message}` } : {}),
    })),
    ...(beat?.exit ? { exit: beat.exit } : {}),
    ...(outcome ? { outcomeRecord: outcome.value } : {}),
    ...(end ? { endedAt: end.value.at } : {}),
    lifetimeUntil: view.lifetimeUntil ?? view.now,
    ...(view.stopRequestedAt !== undefined ? { stopRequestedAt: view.stopRequestedAt } : {}),
    ...(beat?.credentialsUntil !== undefined ? { credentialsUntil: beat.credentialsUntil } : {}),
    bill: end?.value.bill ?? jobBill(view),
    timings: jobTimings(view),
    outputs: beat?.outputs?.files ?? [],
    outputsOmitted: beat?.outputs?.omitted ?? 0,
  };
}

function vmStatus(view: JobView, vm: VmView): JobStatus['vms'][number] {
  const ended = view.objects.end?.value.vms.find((v) => v.id === vm.id);
  const launchedAt = vm.instance?.launchedAt ?? ended?.launchedAt;
  const endedAt = vm.instance?.endedAt ?? ended?.endedAt;
  const zone = vm.instance?.zone ?? vm.offer.zone;
  return {
    id: vm.id,
    state: ended ? 'gone' : vm.state,
    silent: vm.silent && !ended,
    ...(vm.beat?.detail ? { detail: vm.beat.detail } : {}),
    vmType: vm.offer.vmType,
    ...(zone ? { zone } : {}),
    ...(launchedAt !== undefined ? { launchedAt } : {}),
    ...(endedAt !== undefined ? { endedAt } : {}),
  };
}

/** How an ended job ended. */
export function resultOf(view: JobView): JobResult {
  const status = statusOf(view);
  const outcome = view.objects.outcome!.value;
  return {
    job: view.job,
    ...(status.name ? { name: status.name } : {}),
    outcome: outcome.outcome,
    reason: outcome.reason,
    message: outcome.message,
    ...(outcome.remedy ? { remedy: outcome.remedy } : {}),
    exitCode: outcome.exitCode,
    exitCodeIsJobs: outcome.outcome === 'ok' || outcome.outcome === 'failed',
    bill: status.bill,
    outputs: status.outputs,
    timings: status.timings,
  };
}
