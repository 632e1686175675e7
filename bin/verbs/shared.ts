import type { Command } from 'commander';

/** Collects an option that may be given several times; a value may be a comma list when `commas` is set. */
export function repeatable(commas: boolean): (value: string, earlier?: readonly string[]) => string[] {
  return (value, earlier = []) => [...earlier, ...(commas ? value.split(',').map((part) => part.trim()) : [value])];
}

/** A comma begins another requirement only where a name follows: those of `pandas[excel]>=2,<3` do not. */
export function requirements(value: string, earlier: readonly string[] = []): string[] {
  const parts = value.includes(';') ? [value] : value.split(/,(?=\s*[A-Za-z])(?![^[]*\])/);
  return [...earlier, ...parts.map((part) => part.trim())];
}

/** Options that tell where to look. */
export function withConnection(command: Command): Command {
  return command
    .optionsGroup('Where:')
    .option('--local', 'the local cloud instead of AWS (or RAWCLOUD_LOCAL=1)')
    .option('--region <region>', 'AWS region (default: of the profile)')
    .option('--profile <name>', 'AWS profile')
    .option('--scaffold <name>', 'which scaffolding of the account (default: default)');
}

/** `--json`, in the words of the verb. */
export function withJson(command: Command, description = 'print JSON'): Command {
  return command.optionsGroup('Output:').option('--json', description);
}
