import type { Command } from 'commander';

const EXAMPLES = new WeakMap<Command, readonly string[]>();

/** Examples below a command's help; `before` and `after` are paragraphs around them. */
export function withExamples(
  command: Command,
  examples: readonly string[],
  { before, after }: { readonly before?: string; readonly after?: string } = {},
): Command {
  EXAMPLES.set(command, examples);
  const block = ['Examples:', ...examples.map((line) => `  ${line}`)].join('\n');
  const paragraphs = [before, block, after].filter((paragraph) => paragraph !== undefined);
  return command.addHelpText('after', `\n${paragraphs.join('\n\n')}`);
}

/** What was given to {@link withExamples}, for the reference. */
export function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? [];
}
