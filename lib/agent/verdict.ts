import { EXIT_CODES, findRawcloudError } from '../contract';
import type { Decision } from '../contract';

/** The outcome of a job whose environment could not be made on the VM. */
export function environmentFailed(error: unknown): Decision {
  const known = findRawcloudError(error);
  return {
    outcome: 'environment',
    reason: known?.code ?? 'environment',
    message: textOf(error),
    remedy: known?.remedy ?? 'rawcloud logs --system shows the whole log.',
    exitCode: EXIT_CODES.environment,
  };
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
