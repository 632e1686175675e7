import type { ConnectionOptions, DeployOptions, DestroyOptions } from '../options';
import type { Declaring } from '../program';
import { withExamples } from './examples';
import { repeatable, withConnection, withJson } from './shared';

/** The verbs that look at the account itself, and change it. */
export function declareAccountVerbs(declaring: Declaring): void {
  declareDeploy(declaring);
  declareDoctor(declaring);
  declareDestroy(declaring);
}

function declareDeploy({ program, perform, context }: Declaring): void {
  const command = program
    .command('deploy')
    .summary('lay down what an account needs to run jobs, or bring it up to date')
    .description('Lays down what an account needs to run jobs, or brings it up to date. Shows what it does, and asks before it does it.');
  const examples = [
    'rawcloud deploy',
    'rawcloud deploy --dry-run --region eu-west-1 --profile admin',
    'rawcloud deploy --yes --bootstrap',
    'rawcloud deploy --max-vms 20 --max-lifetime 12h --vm-tag team=data',
    'rawcloud deploy --vpc vpc-0a1b2c3d --subnets subnet-0a1b2c3d,subnet-4e5f6a7b',
    'rawcloud deploy --allow-exec --shared --log-retention 90d',
    'rawcloud deploy --max-vms none --no-shared',
  ];
  withExamples(command, examples, {
    after:
      'What was chosen once holds until it is chosen otherwise; none is the default again. An administrator is needed, once for each account\n' +
      'and region and for updates; running jobs needs far less.',
  });
  command
    .optionsGroup('Choices:')
    .option('--max-vms <n>', 'VMs that are on at once, of all jobs (default: as the quotas allow)')
    .option('--max-lifetime <duration>', 'longest lifetime of a job (default: 30d)')
    .option('--allow-vm-type <patterns>', 'VM types that jobs may have, as m7i.*; comma list, repeatable (default: all)', repeatable(true))
    .option('--allow-spot-policy <policies>', 'how VMs may be bought; comma list, repeatable (default: any)', repeatable(true))
    .option('--vm-tag <key=value>', 'tag of every VM, volume and interface; repeatable, all of them anew', repeatable(false))
    .option('--vpc <id>', 'VPC in which VMs are launched (default: the default VPC)')
    .option('--subnets <ids>', 'its subnets, one for each zone; comma list (default: those that give public addresses)', repeatable(true))
    .option('--security-group <ids>', 'security groups of the VMs; comma list, repeatable (default: one of its own)', repeatable(true))
    .option('--watch-region <regions>', 'other regions in which the reaper looks; comma list, repeatable (default: all)', repeatable(true))
    .option('--permissions-boundary <policy>', 'boundary of all its roles, by name or ARN (default: none)')
    .option('--bucket <name>', 'bucket of yours for all state; only when the scaffolding is new (default: one of its own)')
    .option('--key <arn>', "KMS key of the bucket (default: S3's own encryption)")
    .option('--removal-policy <policy>', 'of the bucket that it makes, when the stack is deleted: retain or destroy (default: retain)')
    .option('--shared', 'other stacks may use it by its name, and its grants are managed policies')
    .option('--no-shared', 'only its own stack uses it (default)')
    .option('--allow-exec', 'rawcloud exec may enter VMs of running jobs')
    .option('--no-allow-exec', 'nobody enters VMs (default)')
    .option('--metrics', 'the reaper counts in CloudWatch what it found and what failed; at most $1.20 a month')
    .option('--no-metrics', 'it counts nothing (default)')
    .option('--reaper-interval <duration>', 'between two passes of the reaper: whole minutes, 1m to 1h (default: 5m)')
    .option('--log-retention <duration>', "how long the functions' own logs are kept: 1d to 3653d, or forever (default: 30d)")
    .optionsGroup('Way:')
    .option('--bootstrap', 'bootstrap the account for the CDK when it is not')
    .option('--execution-policy <arns>', 'what CloudFormation may do; of the bootstrap (default: AdministratorAccess)', repeatable(true))
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('-y, --yes', 'do not ask; bootstraps only with --bootstrap');
  withConnection(withJson(command, 'one JSON line for each step'))
    .option('--name <name>', 'the same as --scaffold')
    .action(async (options: DeployOptions) => perform((c) => c.deploy(options, context)));
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
