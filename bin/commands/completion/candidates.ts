import type { Command, Option } from 'commander';
import { inPlaceOf } from './typed';
import type { Known } from './values';
import { argumentValues, optionValues } from './values';

/** One word that may be typed; `:files` and `:dirs` leave it to the shell. */
export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

/** Where in a command line the cursor is. */
interface Place {
  readonly command: Command;
  /** The option whose value is being typed. */
  readonly option?: Option;
  /** Operands before the cursor. */
  readonly operands: number;
  /** A `--` came before. */
  readonly optionsEnded: boolean;
}

/**
 * What may stand in place of the last of the words, which is what was typed so far of it.
 * @param words what stands after the program's name, up to the cursor; bash gives `=` as a word of its own
 */
export function candidates(program: Command, words: readonly string[], known: Known): Candidate[] {
  const place = words.slice(0, -1).reduce(step, { command: program, operands: 0, optionsEnded: false });
  const typed = words.at(-1) ?? '';
  if (place.option) return inPlaceOf(typed === '=' ? '' : typed, optionValues(place.option, known));
  const assigned = /^(--[\w-]+=)(.*)$/.exec(typed);
  const option = assigned && optionOf(place.command, assigned[1]!.slice(0, -1));
  if (assigned && option) return inPlaceOf(assigned[2]!, optionValues(option, known), assigned[1]);
  // The command of a job is not ours to complete.
  if (isInCommand(place)) return [{ value: ':files' }];
  if (typed.startsWith('-') && !place.optionsEnded) return inPlaceOf(typed, options(place.command));
  const { command, operands } = place;
  return inPlaceOf(typed, command.commands.length > 0 ? verbs(command) : argumentValues(command, operands, verbs(program), known));
}

/** Verbs whose operands are a command. */
const TAKES_COMMAND = new Set(['run', 'show', 'diff', 'build']);

/** Behind the first word after which options are no more ours: of the command, or the job that it is for. */
function isInCommand({ command, operands, optionsEnded }: Place): boolean {
  if (command.name() === 'exec') return operands > 0;
  return TAKES_COMMAND.has(command.name()) && (operands > 0 || optionsEnded);
}

function step(place: Place, word: string): Place {
  const { command, operands, optionsEnded } = place;
  const here = { command, operands, optionsEnded };
  if (place.option) return word === '=' ? place : here;
  if (optionsEnded || isInCommand(place)) return { ...here, operands: operands + 1 };
  if (word === '--') return { ...here, optionsEnded: true };
  if (word.startsWith('-')) {
    const option = optionOf(command, word);
    return option && (option.required || option.optional) ? { ...here, option } : here;
  }
  const child = command.commands.find((one) => one.name() === word);
  return child ? { command: child, operands: 0, optionsEnded } : { ...here, operands: operands + 1 };
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find((option) => option.long === flag || option.short === flag);
}

function options(command: Command): Candidate[] {
  const visible = command.createHelp().visibleOptions(command);
  return visible.map(({ long, short, description }) => ({ value: long ?? short ?? '', description }));
}

function verbs(command: Command): Candidate[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((one) => ({ value: one.name(), description: one.summary() || one.description() }));
}
