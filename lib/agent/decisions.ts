import { decisionOfResults, EXIT_CODES, findRawcloudError, hasCode } from '../contract';
import type { Decision, Done } from '../contract';
import { DISK_REASON } from './builders/disk-full';
import type { Ending, EndReason } from './ending';
import { textOf } from './report';

const LIFETIME_OVER: Decision = {
  outcome: 'timeout',
  reason: 'lifetime',
  message: 'the VM reached the end of its lifetime',
  remedy: 'Give it more with --max-lifetime or rawcloud extend.',
  exitCode: EXIT_CODES.timeout,
};

const DISK_FULL: Decision = {
  outcome: 'environment',
  reason: 'disk-full',
  message: "the VM's disk is too small for the job's files and packages",
  remedy: 'Give it more with --disk.',
  exitCode: EXIT_CODES.environment,
};

/** The outcome of a job whose command has run. */
export function decideByResult(done: Done, { reason, numbers = '' }: Pick<Ending, 'reason' | 'numbers'>): Decision {
  const isCutOff = done.results.some(({ exit }) => exit.reason === 'timeout');
  if (isCutOff && reason === 'lifetime') return LIFETIME_OVER;
  return isCutOff && reason === 'idle' ? idle(numbers) : decisionOfResults([done]);
}

function idle(numbers: string): Decision {
  return {
    outcome: 'timeout',
    reason: 'idle',
    message: `the command did next to nothing ${numbers}`,
    remedy: 'Give it longer with --idle-timeout, or let it write a line now and then: output counts as doing something.',
    exitCode: EXIT_CODES.timeout,
  };
}

/** The outcome of a job that ended before its command began; undefined when that is for drivers to say. */
export function decideEarly(ended: EndReason): Decision | undefined {
  switch (ended) {
    case 'stopped':
      return { outcome: 'stopped', reason: 'stop-requested', message: 'stopped on request', exitCode: EXIT_CODES.stopped };
    case 'lifetime':
      return LIFETIME_OVER;
    // Interrupted: whether it is tried again is known by who asks. The command's own limits count from its start.
    case 'interrupted':
    case 'task-timeout':
    case 'idle':
    case 'going-down':
      return undefined;
  }
}

/** Files or packages could not be brought to where the command needs them. */
export function decideByEnvironment(error: unknown): Decision {
  const known = findRawcloudError(error);
  if (known?.data['reason'] !== DISK_REASON && isDiskFull(error)) return DISK_FULL;
  return {
    outcome: 'environment',
    reason: known?.code ?? 'environment',
    message: textOf(error),
    remedy: known?.remedy ?? 'rawcloud logs --environment shows the whole log.',
    exitCode: EXIT_CODES.environment,
  };
}

function isDiskFull(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT') || (error instanceof Error && error.cause !== undefined && isDiskFull(error.cause));
}
