import { optionsOf } from '../../contract';
import type { ScaffoldChoices } from '../../contract';

/** Where a command shall work. */
export interface Where {
  readonly name: string;
  readonly region: string;
}

/** A command of ours for the same scaffolding, as it is typed. */
export function commandFor(verb: readonly string[], { name, region }: Where, more: readonly string[] = []): string {
  const scaffold = name === 'default' ? [] : ['--scaffold', name];
  return ['rawcloud', ...verb, '--region', region, ...scaffold, ...more].map(quoted).join(' ');
}

/** What somebody with more rights types to do the same. */
export function deployCommand(where: Where, choices: ScaffoldChoices, more: readonly string[] = []): string {
  return commandFor(['deploy'], where, [...more, ...optionsOf(choices)]);
}

/** The CDK's own command for the bootstrap. */
export function bootstrapCommand(account: string, region: string, policies: readonly string[]): string {
  const execution = policies.length > 0 ? ` --cloudformation-execution-policies ${quoted(policies.join(','))}` : '';
  return `npx aws-cdk bootstrap aws://${account}/${region}${execution}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
