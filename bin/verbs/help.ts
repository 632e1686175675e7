import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { nearest } from '../../lib/contract/nearest';
import type { Declaring } from '../program';
import { withExamples } from './examples';

/** `rawcloud help [verb]`: commander's own says nothing of unknown verbs and knows no verbs of verbs. */
export function declareHelp({ program }: Declaring): void {
  const command = program.helpCommand(false).command('help').description('print help, of a verb when one is named').argument('[verb...]');
  withExamples(command, ['rawcloud help run', 'rawcloud help local start']).action((verbs: string[]) => {
    verbs.reduce(childOf, program).outputHelp();
  });
}

function childOf(parent: Command, name: string): Command {
  const found = parent.commands.find((command) => command.name() === name);
  if (found) return found;
  const near = nearest(
    name,
    parent.commands.map((command) => command.name()),
  );
  const hint = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
  throw new CommanderError(1, 'commander.unknownCommand', `unknown command '${name}'${hint}`);
}
