import type { Command, Option } from 'commander';
import { ArchSchema, ERROR_CODES, SpotPolicySchema, STRICTNESSES } from '../../../lib/contract';
import { FAMILY_NAMES, REGION_NAMES, VM_TYPE_NAMES } from '../../../lib/runtime/names';
import { PACKAGE_SOURCES } from '../../../lib/runtime/request';
import type { Candidate } from './candidates';
import type { RecentJob } from './recent-jobs';
import { SCRIPTS } from './scripts';

/** What only this machine knows. */
export interface Known {
  readonly jobs: readonly RecentJob[];
  /** Names of the environment. */
  readonly variables: readonly string[];
}

const FILES: readonly Candidate[] = [{ value: ':files' }];
const DIRECTORIES: readonly Candidate[] = [{ value: ':dirs' }];

/** Values of an option; none where anything may stand. */
export function optionValues({ long }: Option, { variables }: Known): readonly Candidate[] {
  switch (long) {
    case '--region':
    case '--watch-region':
      return words(REGION_NAMES);
    case '--vm-type':
    case '--allow-vm-type':
      return words(VM_TYPE_NAMES);
    case '--family':
      return words(FAMILY_NAMES);
    case '--spot-policy':
    case '--allow-spot-policy':
      return words(SpotPolicySchema.options);
    case '--packages':
      return words(PACKAGE_SOURCES);
    case '--unused-for':
      return words(['7d', '30d', '60d']);
    case '--removal-policy':
      return words(['retain', 'destroy']);
    case '--package-strictness':
      return words(STRICTNESSES);
    case '--arch':
      return words(ArchSchema.options);
    case '--env':
      return words(variables);
    case '--env-file':
    case '--setup-script':
    case '--upload':
    case '--keep':
      return FILES;
    case '--to':
    case '--download-to':
      return DIRECTORIES;
    default:
      return [];
  }
}

/** Values of a verb's operand. */
export function argumentValues(command: Command, operands: number, verbs: readonly Candidate[], { jobs }: Known): readonly Candidate[] {
  switch (command.registeredArguments[operands]?.name()) {
    case 'job':
      return jobs.flatMap(({ job, name, command: line }) => [
        ...(name ? [{ value: name, description: `${job}: ${line}` }] : []),
        { value: job, description: line },
      ]);
    case 'code':
      return Object.entries(ERROR_CODES).map(([value, { title }]) => ({ value, description: title }));
    case 'shell':
      return words(Object.keys(SCRIPTS));
    case 'verb':
      return verbs;
    case 'duration':
      return words(['1h', '4h', '12h', '24h']);
    case 'command':
      return FILES;
    default:
      return [];
  }
}

function words(values: readonly string[]): Candidate[] {
  return values.map((value) => ({ value }));
}
