import { optionsBack, optionsOf } from '../../contract';
import type { ScaffoldChoice, ScaffoldChoices } from '../../contract';
import type { AskedChoices } from './deps';

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

/** What somebody with more rights types to do the same. @param choices undefined: only what is asked for is known yet */
export function deployCommand(
  where: Where,
  { choices, asked }: { readonly choices: ScaffoldChoices | undefined; readonly asked: AskedChoices },
  more: readonly string[] = [],
): string {
  const back = Object.entries(asked).flatMap(([choice, value]) => (value === null ? optionsBack(choice as ScaffoldChoice) : []));
  return commandFor(['deploy'], where, [...more, ...(choices ? optionsOf(choices) : askedOptions(asked)), ...back]);
}

function askedOptions({ vpc, subnets, ...others }: AskedChoices): string[] {
  const given = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== null)) as ScaffoldChoices;
  const network = [...(vpc ? ['--vpc', vpc] : []), ...(subnets ? ['--subnets', subnets.join(',')] : [])];
  return [...optionsOf(given), ...network];
}

/** The CDK's own command for the bootstrap. */
export function bootstrapCommand(account: string, region: string, policies: readonly string[]): string {
  const execution = policies.length > 0 ? ` --cloudformation-execution-policies ${quoted(policies.join(','))}` : '';
  return `npx aws-cdk bootstrap aws://${account}/${region}${execution}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
