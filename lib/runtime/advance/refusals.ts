import { EXIT_CODES, offerName } from '../../contract';
import type { Decision, FailureClass, JobView, Launch } from '../../contract';

/** The outcome of a job that got no VM because EC2 refused. */
export function refusedBy(view: JobView, failure: NonNullable<Launch['failure']>): Decision {
  return refused(failure.class, refusalText(view, failure), failure.remedy ?? REMEDIES[failure.class]);
}

export function refused(reason: string, message: string, remedy?: string): Decision {
  return { outcome: 'refused', reason, message, ...(remedy ? { remedy } : {}), exitCode: EXIT_CODES.refused };
}

function refusalText(view: JobView, failure: NonNullable<Launch['failure']>): string {
  const tried = [...view.objects.launches.values()].map(({ value: l }) => `${offerName(l.offer)}: ${l.failure?.code ?? 'had, and lost'}`);
  return tried.length > 1 ? `${failure.message} (tried ${tried.join('; ')})` : failure.message;
}

const REMEDIES: Partial<Record<FailureClass, string>> = {
  capacity: 'Try again later, or allow more: another --vm-type, wider --cpu and --memory, or another --region.',
  quota: 'Ask for more in Service Quotas (EC2, "Running On-Demand instances" of the family), or take smaller or fewer VMs.',
  permission: 'Ask an administrator for the permission named above.',
  throttled: 'Try again in a minute; other callers in this account use up the request rate.',
  request: 'Check --vm-type, --image and --region; the text above is what EC2 said.',
};
