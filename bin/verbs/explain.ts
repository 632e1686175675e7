import type { Declaring } from '../program';
import { withExamples } from './examples';
import { withJson } from './shared';

/** `rawcloud explain [code]` */
export function declareExplain({ program, context, perform }: Declaring): void {
  const command = program
    .command('explain')
    .description('say what an error means, why it happens and what to do')
    .argument('[code]', 'code of an error, as E_QUOTA (default: a list of all)');
  withExamples(withJson(command), ['rawcloud explain E_QUOTA', 'rawcloud explain']).action(
    async (code: string | undefined, options: { json?: boolean }) => perform((c) => c.explain(code, options, context)),
  );
}
