import type { Command, Option } from 'commander';
import { EXIT_CODES } from '../../lib/contract';
import { examplesOf } from '../verbs/examples';
import { EXIT_TEXTS, FILES, VARIABLES } from './facts';
import { code, GENERATED, page, table } from './markdown';

/** docs/reference.md, from the verbs as they are declared. */
export function referencePage(program: Command): string {
  return page([
    '# rawcloud(1)',
    GENERATED,
    program.description(),
    `What the verbs do together: [cli.md](cli.md). Errors: [errors.md](errors.md). JSON: [json.md](json.md).`,
    ...visible(program).flatMap((verb) => section(verb, '##')),
    '## Environment',
    table(
      ['variable', 'meaning'],
      VARIABLES.map(([name, meaning]) => [code(name), meaning]),
    ),
    '## Exit codes',
    'A job that ran leaves with its own. Of rawcloud:',
    table(['code', 'meaning'], exits()),
    '## Files',
    table(
      ['path', 'what'],
      FILES.map(([path, meaning]) => [code(path), meaning]),
    ),
  ]);
}

function section(command: Command, heading: string): string[] {
  const examples = examplesOf(command);
  const children = visible(command);
  return [
    `${heading} ${titleOf(command)}`,
    sentence(command.description()),
    ...(children.length > 0 ? [] : [code(`${titleOf(command)} ${command.usage()}`)]),
    ...operands(command),
    ...groups(command),
    ...(examples.length > 0 ? [['```sh', ...examples, '```'].join('\n')] : []),
    ...children.flatMap((child) => section(child, `${heading}#`)),
  ];
}

function visible(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

function titleOf(command: Command): string {
  return command.parent ? `${titleOf(command.parent)} ${command.name()}` : command.name();
}

function operands(command: Command): string[] {
  const rows = command.registeredArguments.map((argument) => [code(argument.name()), argument.description]).filter(([, text]) => text);
  return rows.length > 0 ? [table(['operand', 'meaning'], rows)] : [];
}

/** A table for each group of options; `--help` is left out. */
function groups(command: Command): string[] {
  const byGroup = new Map<string, Option[]>();
  for (const option of command.options) {
    const group = (option.helpGroupHeading ?? 'Options:').replace(/:$/, '');
    byGroup.set(group, [...(byGroup.get(group) ?? []), option]);
  }
  return [...byGroup].map(([group, options]) => table([group, 'meaning'], options.map(row)));
}

function row({ flags, description }: Option): string[] {
  return [code(flags), description];
}

function exits(): string[][] {
  const names = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  return names.map((name) => [String(EXIT_CODES[name]), EXIT_TEXTS[name]]);
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return first.endsWith('.') ? first : `${first}.`;
}
