import type { Done, Exit, Outcome } from './records';
import { EXIT_CODES } from './states';

/** An outcome without who decided and when. */
export type Decision = Pick<Outcome, 'outcome' | 'reason' | 'message' | 'remedy' | 'exitCode'>;

/** The outcome of a job all of whose tasks have results. */
export function decisionOfResults(dones: readonly Done[]): Decision {
  const exits = dones.flatMap((d) => d.results).map((r) => r.exit);
  const worst = exits.find((e) => e.reason === 'stopped') ?? exits.find((e) => e.reason === 'timeout') ?? exits.find((e) => e.code !== 0);
  if (!worst) return { outcome: 'ok', reason: 'exited', message: 'the command succeeded', exitCode: EXIT_CODES.ok };
  switch (worst.reason) {
    case 'stopped':
      return { outcome: 'stopped', reason: 'stop-requested', message: 'stopped on request', exitCode: EXIT_CODES.stopped };
    case 'timeout':
      return { outcome: 'timeout', reason: 'task-timeout', message: 'the command ran into its time limit', exitCode: EXIT_CODES.timeout };
    case 'exited':
    case 'signal':
    case 'interrupted':
    case 'not-found':
    case 'not-executable':
      return {
        outcome: 'failed',
        reason: worst.outOfMemory ? 'out-of-memory' : worst.reason,
        message: describeExit(worst),
        exitCode: worst.code,
      };
  }
}

function describeExit(exit: Exit): string {
  if (exit.outOfMemory) return 'the command was killed because the VM ran out of memory';
  if (exit.signal) return `the command was ended by ${exit.signal}`;
  if (exit.reason === 'not-found') return 'the command was not found on the VM';
  if (exit.reason === 'not-executable') return 'the command is not executable';
  return `the command exited with ${exit.code}`;
}
