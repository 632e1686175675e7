import type { ConnectionOptions } from '../options';
import type { Declaring } from '../program';
import { withExamples } from './examples';
import { withConnection, withJson } from './shared';

/** The verbs that look at the account itself, and change it. */
export function declareAccountVerbs(declaring: Declaring): void {
  declareDoctor(declaring);
}

function declareDoctor({ program, perform, context }: Declaring): void {
  const command = program.command('doctor').description('check that jobs can run: identity, permissions, quotas, network, scaffolding');
  withExamples(command, ['rawcloud doctor', 'rawcloud doctor --region eu-west-1 --profile work', 'rawcloud doctor --json | jq .well'], {
    after: 'Nothing is changed. The exit code is 0 when jobs can run, 1 when they cannot.',
  });
  withConnection(withJson(command)).action(async (options: ConnectionOptions) => perform((c) => c.doctor(options, context)));
}
