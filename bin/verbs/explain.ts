import type { Declaring } from '../program';
import { withJson } from './shared';

/** `rawcloud explain [code]` */
export function declareExplain({ program, context, perform }: Declaring): void {
  const command = program
    .command('explain')
    .description('say what an error means, why it happens and what to do')
    .argument('[code]', 'code of an error, as E_QUOTA (default: a list of all)')
    .addHelpText('after', '\nExamples:\n  rawcloud explain E_QUOTA\n  rawcloud explain');
  withJson(command).action(async (code: string | undefined, options: { json?: boolean }) =>
    perform((c) => c.explain(code, options, context)),
  );
}
