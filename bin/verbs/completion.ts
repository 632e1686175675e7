import type { Declaring } from '../program';
import { withExamples } from './examples';
import { withJson } from './shared';

/** The verb that the completion scripts call; not shown in the help. */
export const COMPLETE = '__complete';

/** `rawcloud completion bash|zsh|fish`, and what its scripts ask while somebody types. */
export function declareCompletion({ program, context, perform }: Declaring): void {
  const completion = program
    .command('completion')
    .description('print a script that completes verbs, options, values and jobs in your shell')
    .argument('<shell>', 'bash, zsh or fish');
  withExamples(withJson(completion), [
    'echo \'eval "$(rawcloud completion bash)"\' >> ~/.bashrc',
    'echo \'eval "$(rawcloud completion zsh)"\' >> ~/.zshrc      (below compinit)',
    'rawcloud completion fish > ~/.config/fish/completions/rawcloud.fish',
  ]).action(async (shell: string, options: { json?: boolean }) => perform((c) => c.completion(shell, options, context)));
  program
    .command(COMPLETE, { hidden: true })
    .argument('[words...]')
    .helpOption(false)
    .action(async (words: string[]) => perform((c) => c.complete(program, words, context)));
}
