/**
 * What EC2 gives as the reason that a VM ended, and what can be done about it. Source: EC2 API reference, StateReason, and
 * EC2 user guide, "Troubleshoot instance launch issues: instance terminates immediately".
 */
const REMEDIES: Readonly<Record<string, string>> = {
  'Server.InsufficientInstanceCapacity': 'Run it again: EC2 had promised capacity that it did not have. Other types or zones may have it.',
  'Server.InternalError': 'Run it again: a fault within EC2.',
  'Server.ScheduledStop': 'Run it again: the host was retired.',
  'Server.SpotInstanceTermination': 'Run it again, or take VMs on demand: --spot-policy on-demand.',
  'Server.SpotInstanceShutdown': 'Run it again, or take VMs on demand: --spot-policy on-demand.',
  'Client.VolumeLimitExceeded':
    'Ask for more EBS storage in Service Quotas (EBS, "Storage for gp3 volumes"), delete volumes, or take a smaller --disk.',
  'Client.InvalidSnapshot.NotFound': 'The image’s snapshot is gone: take another --image.',
  'Client.InternalError':
    'Most often the key that encrypts disks by default may not be used by this caller: ask for kms:CreateGrant and kms:Decrypt on it.',
};

/** The VM was taken back by EC2, not ended by us: what of its first hour was used is not charged. */
export const SPOT_TAKEN_BACK: readonly string[] = ['Server.SpotInstanceTermination', 'Server.SpotInstanceShutdown'];

/** `Client.VolumeLimitExceeded` of `Client.VolumeLimitExceeded: Volume limit exceeded` */
export function stateReasonCode(stateReason: string | undefined): string | undefined {
  return /^(?:Server|Client)(?:\.\w+)+/.exec(stateReason ?? '')?.[0];
}

/** What to do about a VM that ended for this reason; undefined when the reason says nothing that would help. */
export function stateReasonRemedy(stateReason: string | undefined): string | undefined {
  return REMEDIES[stateReasonCode(stateReason) ?? ''];
}

/** Code and message as one text; EC2's messages mostly begin with the code already. */
export function stateReasonText(code: string, message: string | undefined): string {
  return !message || message === code ? code : message.startsWith(code) ? message : `${code}: ${message}`;
}
