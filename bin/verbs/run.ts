import type { Command } from 'commander';
import type { RunOptions } from '../options';
import type { Declaring } from '../program';
import { withExamples } from './examples';
import { repeatable, requirements, withConnection, withJson } from './shared';

const EXAMPLES = [
  'rawcloud run python train.py --epochs 3',
  'rawcloud run --cpu 8 --memory 32GiB make -j8',
  'rawcloud run -e LEVEL=debug -e API_KEY --env-file .env node job.js',
  'rawcloud run --forward huggingface,git --secret-env WANDB_API_KEY python train.py',
  'rawcloud run --arch arm64 --package-strictness torch=loose --package-ignore pywin32 python train.py',
  'rawcloud run --setup "dnf install -y gdal" python tiles.py',
  'rawcloud run --upload ~/data/images --keep checkpoints --download python train.py --data ~/data/images',
  'rawcloud run --timeout 30m --download ./render.sh scene.blend',
  'rawcloud run --spot-policy spot_with_fallback --retries 3 python train.py',
  'cat data.csv | rawcloud run python stats.py',
  'rawcloud run --detach --name nightly python train.py',
];

const WHERE_OPTIONS_END = 'Options end at the first word that is no option; what follows is the command, as typed.';

const CTRL_C = 'Ctrl-C stops the job and waits for the proof that its VM is gone; a second one leaves at once.';

/** `rawcloud run [options] [--] command …` */
export function declareRun({ program, context, perform }: Declaring): void {
  const command = program
    .command('run')
    .summary('run a command on a VM of its own')
    .description('Runs a command on a VM that exists only for it, with your files, packages and identity.')
    .usage('[options] [--] command …')
    .argument('<command...>', 'program and arguments')
    .passThroughOptions();
  withExamples(command, EXAMPLES, { before: WHERE_OPTIONS_END, after: CTRL_C });
  withVariables(withHardware(command))
    .option(
      '--forward <logins>',
      'logins of yours that the job gets: git, huggingface, gcp, kube; comma list, repeatable',
      repeatable(true),
    )
    .option('--role <name>', 'AWS identity of the job instead of yours: a JobRole of the scaffolding, for as long as it runs')
    .option('--no-credentials', 'the job gets no AWS identity');
  withPackages(command)
    .option('--root', "run as root, the VM's own role in reach")
    .option('-y, --yes', 'synchronize a large tree without asking');
  withFiles(command)
    .optionsGroup('Job:')
    .option('--name <name>', 'name to find the job by')
    .option('-t, --tag <key=value>', 'tag of VM, disk and ledger; repeatable', repeatable(false))
    .option('--timeout <duration>', 'end the command after this long (default: none)')
    .option('--idle-timeout <duration>', 'end the command when it does next to nothing for this long (default: never)')
    .option('--max-lifetime <duration>', 'the VM ends itself after this long, whatever happens (default: 24h)')
    .option('--retries <n>', 'new VMs that start the command again when one is lost or taken back (default: 0)')
    .option('-d, --detach', 'leave once the VM is launched; prints the job id')
    .option('--dry-run', 'show plan and price; launch nothing');
  withJson(command, 'one JSON event a line on stdout').option('-q, --quiet', "nothing but the command's own output");
  withConnection(command).action(async (words: string[], options: RunOptions) => perform((c) => c.run(words, options, context)));
}

/** What travels and comes back besides the usual. */
function withFiles(command: Command): Command {
  return command
    .optionsGroup('Files:')
    .option(
      '--upload <path[:dest]>',
      'take a file or directory along whole, ignored or not, also from outside the tree; at dest, below the working directory; repeatable',
      repeatable(false),
    )
    .option(
      '--keep <path>',
      'keep what the job writes there whole, in any size; repeatable (default: 100 MB of all new files)',
      repeatable(false),
    )
    .option('--download', 'bring new files home when the command has ended')
    .option('--download-to <dir>', 'the same, into another directory');
}

/** What the job runs on. */
export function withHardware(command: Command): Command {
  return command
    .optionsGroup('Hardware:')
    .option('--cpu <n|min-max>', 'vCPUs, at least n or a range (default: 2)')
    .option('--memory <size|min-max>', 'memory as 8GiB or 8-16GiB (default: 8GiB)')
    .option('--vm-type <types>', 'EC2 instance types, best first, comma list; repeatable', repeatable(true))
    .option('--family <families>', 'families to choose from, best first, as m7i or c; comma list, repeatable', repeatable(true))
    .option('--spot-policy <policy>', 'on-demand, spot, or spot_with_fallback (default: on-demand)')
    .option('--arch <arch>', "x86_64 or arm64 (default: this machine's)")
    .option('--disk <size>', 'disk (default: 30GiB, or more where the environment needs it)')
    .option('--image <ami>', 'AMI id (default: the newest Amazon Linux 2023)');
}

export function withVariables(command: Command): Command {
  return command
    .optionsGroup('Environment:')
    .option('-e, --env <NAME=VALUE|NAME>', 'variable of the job, by NAME alone with its value here; repeatable', repeatable(false))
    .option('--env-file <file>', 'file with lines NAME=VALUE; repeatable', repeatable(false))
    .option('--secret-env <NAME=VALUE|NAME>', 'the same, kept secret whatever its name; repeatable', repeatable(false))
    .option('--secret-env-file <file>', 'file with lines NAME=VALUE, all kept secret; repeatable', repeatable(false));
}

/** What is installed on the VM before the command. */
export function withPackages(command: Command): Command {
  return command
    .option(
      '--packages <source>',
      'lock: as the lockfile says; installed: as they are here (default: installed, hashes of a lockfile that fits)',
    )
    .option('--no-cache', 'build the packages anew, and keep the result for later jobs')
    .option('--dev-packages', 'development dependencies of Node travel too (default: when the command names one)')
    .option(
      '--package-strictness <level|name=level>',
      'exact, compatible or loose, of all packages of Python and conda or of one; comma list, repeatable (default: exact, compatible on another platform)',
      repeatable(true),
    )
    .option('--package-ignore <names>', 'leave these packages of Python or conda out; comma list, repeatable', repeatable(true))
    .option('--package-only <names>', 'only these packages of Python or conda and what they need; comma list, repeatable', repeatable(true))
    .option('--package-add <requirement>', 'a package besides, as boto3>=1.34 or conda-forge::gdal; comma list, repeatable', requirements)
    .option(
      '--setup <command>',
      'command that the VM runs as root before, as "dnf install -y gdal"; repeatable, in order',
      repeatable(false),
    )
    .option('--setup-script <file>', 'script that the VM runs as root before those')
    .option('--setup-timeout <duration>', 'end each of these that takes longer, and fail (default: 30m)');
}
