import type { Decision } from './decision';
import type { JobSpec, RetryReason } from './spec';
import { EXIT_CODES } from './states';

/** Tries after the first that a job may ask for. */
export const MOST_RETRIES = 100;

type Limits = { readonly retries?: JobSpec['limits']['retries'] | undefined };

/** Whether work that was lost on the given try (0 is the first) is started again on a new VM. */
export function mayTryAgain({ retries = [] }: Limits, reason: RetryReason, attempt: number): boolean {
  return retries.some((rule) => rule.on === reason && attempt < rule.times);
}

/** The outcome of a job whose VM EC2 took back, and that is not tried again. */
export function interruptedDecision(vmId: string, attempt: number): Decision {
  return {
    outcome: 'lost',
    reason: 'interrupted',
    message: `EC2 took the spot VM ${vmId} back${attempt === 0 ? '' : ` (try ${attempt + 1}, the last)`}`,
    remedy: `What the job wrote up to then is kept. ${attempt === 0 ? '--retries N starts it again by itself on' : 'More tries: --retries N, each on'} a new VM; --spot-policy on-demand takes one that stays.`,
    exitCode: EXIT_CODES.lost,
  };
}
