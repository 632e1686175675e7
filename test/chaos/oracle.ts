import type { Round } from './round';

/** What a round broke of what must never break; empty when nothing. Read off docs/protocol.md and docs/design.md, not off the code. */
export function findings(round: Round): string[] {
  const found: string[] = [];
  const must = (holds: boolean, what: string): void => void (holds || found.push(what));
  const { status, job, logs, ended, launched } = round;
  must(launched <= 1 + job.retries, `${launched} VMs were launched for one job of ${job.retries} retries`);
  if (!status) {
    must(launched === 0, 'a VM was launched for a job that is not on record');
    must(round.clientGone || ended.code !== 0, 'the client says 0 though there is no job');
    return found;
  }
  must(status.state === 'ended', `the job is ${status.state}`);
  must(status.outcomeRecord !== undefined, 'there is no outcome');
  must(
    status.vms.every((vm) => vm.state === 'gone'),
    'a VM is not gone',
  );
  const isOwn = status.exitCode === job.exitCode && (status.outcome === 'ok' || status.outcome === 'failed');
  must(
    isOwn || isExcused(round),
    `the outcome is ${status.outcome} (${status.outcomeRecord?.reason}), exit code ${status.exitCode}; the command's own is ${job.exitCode}`,
  );
  must(status.vms.length === launched, `${status.vms.length} VMs are on record, ${launched} were launched`);
  for (const stream of ['stdout', 'stderr'] as const) {
    // One VM's result was accepted: its output is whole. Of a VM that was lost there may be less, never anything else.
    const isWhole = !isOwn || logs.some((vm) => vm[stream] === job[stream]);
    must(isWhole && logs.every((vm) => job[stream].startsWith(vm[stream])), `${stream} in the log is not what the command wrote`);
  }
  must(launched === 0 || status.bill.usd > 0, 'a VM that was on costs nothing');
  must(launched > 0 || status.bill.lines.every(({ what }) => /S3/.test(what)), 'a VM was charged though none was on');
  found.push(...ofTheClient(round));
  return found;
}

/** Whether something happened that may keep a job from its own result. */
function isExcused({ disturbances, status, givenUp }: Round): boolean {
  const harms = new Set(disturbances.map(({ harm }) => harm));
  if (status?.outcome === 'stopped') return harms.has('stop') || givenUp;
  if (status?.outcome === 'refused') return givenUp;
  return harms.has('deadly') && (status?.outcome === 'lost' || status?.outcome === 'environment');
}

/** What the client that ran the job said. */
function ofTheClient({ clientGone, givenUp, ended, status, logs }: Round): string[] {
  if (clientGone) return [];
  if (givenUp) return ended.code === 0 ? ['the client says 0 though it had given up'] : [];
  if (/is out of sight/.test(ended.stderr)) return ended.code === 0 ? ['the client lost the job and says 0'] : [];
  const found: string[] = [];
  if (ended.code !== status!.exitCode)
    found.push(`the client left with ${ended.code}, the job's exit code is ${status!.exitCode}:\n${ended.stderr}`);
  const shipped = logs.map(({ stdout }) => stdout).join('');
  if (ended.stdout.length !== shipped.length || (logs.length === 1 && ended.stdout.toString() !== shipped))
    found.push(`the client showed ${ended.stdout.length} bytes of stdout, the log has ${shipped.length}`);
  return found;
}
