import type { JobView, Timings } from '../../contract';

/**
 * Every phase of a job, start and end in milliseconds since 1970: on the launching side plan, capture, upload, record,
 * launch; then `requested` (launch to the first line of user data), on the VM boot, grant, node, agent, files,
 * environment, command, finish; then `teardown` (agent's end to the VM's).
 * The three sides have clocks of their own, which a well-kept machine holds within some milliseconds.
 */
export function jobTimings(view: JobView): Timings {
  const launches = [...view.objects.launches.values()].map((l) => l.value);
  const own = launches[0]?.timings ?? {};
  const first = { ...own, ...recordPhase(own) };
  const vm = view.vms.at(-1);
  const onVm = vm?.beat?.timings ?? {};
  const launched = first['launch']?.[1];
  const bootAt = onVm['boot']?.[0];
  const finishedAt = onVm['finish']?.[1];
  const endedAt = vm?.instance?.endedAt ?? view.objects.end?.value.vms.find((v) => v.id === vm?.id)?.endedAt;
  return {
    ...first,
    ...(launched !== undefined && bootAt !== undefined ? { requested: [launched, Math.max(launched, bootAt)] } : {}),
    ...onVm,
    ...(finishedAt !== undefined && endedAt !== undefined ? { teardown: [finishedAt, Math.max(finishedAt, endedAt)] } : {}),
  };
}

/** Recording is what lies between the last phase before it and the launch: a record cannot hold how long it took to write. */
function recordPhase(timings: Timings): Timings {
  const { launch, ...before } = timings;
  const ends = Object.values(before).map(([, end]) => end);
  return launch && ends.length > 0 ? { record: [Math.max(...ends), launch[0]], launch } : {};
}
