import type { ConnectionOptions, DestroyOptions } from '../options';
import type { Declaring } from '../program';
import { withExamples } from './examples';
import { withConnection, withJson } from './shared';

/** The verbs that look at the account itself, and change it. */
export function declareAccountVerbs(declaring: Declaring): void {
  declareDoctor(declaring);
  declareDestroy(declaring);
}

function declareDoctor({ program, perform, context }: Declaring): void {
  const command = program.command('doctor').description('check that jobs can run: identity, permissions, quotas, network, scaffolding');
  withExamples(command, ['rawcloud doctor', 'rawcloud doctor --region eu-west-1 --profile work', 'rawcloud doctor --json | jq .well'], {
    after: 'Nothing is changed. The exit code is 0 when jobs can run, 1 when they cannot.',
  });
  withConnection(withJson(command)).action(async (options: ConnectionOptions) => perform((c) => c.doctor(options, context)));
}

function declareDestroy({ program, perform, context }: Declaring): void {
  const command = program
    .command('destroy')
    .description('remove the scaffolding with all that is in its bucket, and prove that nothing is left')
    .option('--stop-jobs', 'stop open jobs and wait until their VMs are gone (default: refused while jobs are open)')
    .option('--export <file>', 'where the ledger is saved before anything goes (default: a dated file in the working directory)')
    .option('--dry-run', 'show what would go, and do nothing')
    .option('-y, --yes', 'do not ask for the name');
  withExamples(command, ['rawcloud destroy --dry-run', 'rawcloud destroy --stop-jobs', 'rawcloud destroy --yes --export ledger.jsonl'], {
    after: 'Broken off, it goes on where it was when it is started again.',
  });
  withConnection(withJson(command, 'one JSON line for each step')).action(async (options: DestroyOptions) =>
    perform((c) => c.destroy(options, context)),
  );
}
