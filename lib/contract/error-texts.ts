import { SCAFFOLDING_ERROR_TEXTS } from './error-texts-scaffolding';
import type { ErrorText } from './error-text';
import type { ErrorCode } from './errors';

/**
 * The texts of `rawcloud explain` and of docs/errors.md, one for each code of `ERROR_CODES`: the compiler refuses a code
 * without a text. Apart from the codes, so that agent and Lambdas do not carry them.
 */
export const ERROR_TEXTS: Readonly<Record<ErrorCode, ErrorText>> = {
  E_USAGE: {
    means: 'rawcloud did not understand what it was asked. Nothing was uploaded or launched.',
    why: [
      'An option, verb or value has a typing error.',
      'Options exclude each other.',
      'An option of rawcloud stands behind the command.',
    ],
    todo: ['`rawcloud help VERB` lists what is allowed.', 'Options of rawcloud come before the command: `rawcloud run --cpu 8 make -j8`.'],
  },
  E_PATH_OUTSIDE: {
    means: 'The command names a file that would not be on the VM, because it lies outside the tree that travels. Nothing was launched.',
    why: ['The tree is the git repository you are in, or the current directory outside of one; `../` and absolute paths lead out of it.'],
    todo: [
      '`rawcloud run --upload PATH` takes it along; the word in the command is then rewritten to where it is.',
      'Run from a directory that holds the file, too.',
    ],
  },
  E_ROOT_REFUSED: {
    means: 'The tree that would travel is your home directory or the whole disk. Nothing was read or uploaded.',
    why: [
      'The command was started in the home directory or in /, outside of any git repository.',
      'The home directory itself is a git repository.',
    ],
    todo: ['Change into the directory of the project.', '`git init` in the project makes it the root.'],
  },
  E_TREE_TOO_LARGE: {
    means: 'The tree holds more than 1 GB, and there was nobody to ask whether all of it shall travel. Nothing was uploaded.',
    why: ['Data, models or build results lie in the tree and git does not ignore them.'],
    todo: [
      'Leave paths out by a `.rawcloudignore` file (the syntax is that of .gitignore).',
      '`rawcloud run --yes` takes all of it, `--upload PATH` what is named without asking.',
    ],
  },
  E_FILE_CHANGED: {
    means: 'A file changed each time it was read, so no consistent copy could be made. Nothing was launched.',
    why: ['A program writes to it meanwhile: a log, a database, an editor.'],
    todo: ['Wait until nothing writes to it.', 'Leave it out by a line in `.rawcloudignore`.'],
  },
  E_PACKAGE: {
    means: 'A package that is installed here cannot be installed on the VM. Nothing was launched.',
    why: [
      'It was installed from a path outside the tree, or has local changes.',
      'It comes from a private source that needs a login the VM does not have.',
      'It exists for this operating system only.',
    ],
    todo: ['Follow the line below the error: it names the package.', 'Move its source into the tree, or install it from an index.'],
  },
  E_ENVIRONMENT: {
    means:
      'The VM booted, but the files, packages or secrets of the job could not be set up there. The command did not run; the VM has ended.',
    why: [
      'A secret of the job is not there, or its role may not read it.',
      'A package has no build for the platform of the VM and needs a compiler.',
      'An index could not be reached from the VM.',
      'A command of `--setup` failed.',
      'The disk is full.',
    ],
    todo: [
      '`rawcloud logs --environment JOB` shows how the environment was built.',
      '`--arch` or `--image` choose another platform; `--disk` more space.',
    ],
  },
  E_LOGIN: {
    means: '`--forward` named a login that cannot be read on this machine without asking somebody. Nothing was uploaded or launched.',
    why: [
      'You are not logged in to that service here.',
      'The login lies at a place that no variable names (`KUBECONFIG`, `GOOGLE_APPLICATION_CREDENTIALS`, `HF_HOME`).',
      'The remotes of the repository are reached by ssh only; keys and agents do not travel.',
    ],
    todo: ['Log in as the remedy says, and run it again.', 'Hand a token over as a variable: `--secret-env TOKEN`.'],
  },
  E_HARDWARE: {
    means: 'No VM type has what was asked for. Nothing was launched.',
    why: ['`--cpu`, `--memory`, `--arch`, `--family` and `--vm-type` exclude each other.', 'The region does not offer such a type.'],
    todo: ['Ask for less, or for a range: `--cpu 8-16`.', 'Leave out `--arch` or `--family`.', 'Try another `--region`.'],
  },
  E_NO_JOB: {
    means: 'There is no job with that id, beginning of an id, or name.',
    why: [
      'It was typed wrongly.',
      'It belongs to another region, account, scaffolding or to the local cloud.',
      'Names mean your own jobs only.',
    ],
    todo: ['`rawcloud ps --all` lists jobs.', 'Add `--local`, `--region`, `--profile` or `--scaffold`, as when it was started.'],
  },
  E_AMBIGUOUS_JOB: {
    means: 'Several jobs fit what was typed. Nothing was done to any of them.',
    why: ['Several running jobs have the same name.', 'The beginning of the id is too short.'],
    todo: ['Use the whole id; the error lists the jobs.'],
  },
  E_JOB_STATE: {
    means: 'The job is not in a state in which this can be done.',
    why: ['`extend` of a job that is ending or has ended.', '`download` of a job whose command still runs.'],
    todo: ['`rawcloud status JOB` shows the state.', '`rawcloud attach JOB` waits for the end.'],
  },
  E_NO_CREDENTIALS: {
    means: 'No AWS credentials were found. Nothing was asked of AWS.',
    why: ['There is no profile, or it holds no credentials.', 'AWS_PROFILE names another one.', 'A CI system was not given a role.'],
    todo: [
      '`aws configure` or `aws sso login`.',
      'Choose a profile by `--profile`.',
      '`--local` runs the job on this machine without AWS.',
    ],
  },
  E_CREDENTIALS_EXPIRED: {
    means: 'The AWS credentials are no longer valid. What already runs goes on.',
    why: ['A session of SSO or of a role has ended.', 'The clock of this machine is wrong.'],
    todo: ['`aws sso login`, or get the session anew.', '`rawcloud attach JOB` then finds a running job again.'],
  },
  ...SCAFFOLDING_ERROR_TEXTS,
  E_ENDPOINT_DOWN: {
    means: 'An AWS endpoint did not answer. A job that was launched goes on; its VM ends itself at the end of its lifetime at the latest.',
    why: ['This machine is offline, or behind a proxy that is not configured.', 'The region does not exist.', 'The local cloud has ended.'],
    todo: ['Check the network and HTTPS_PROXY.', '`rawcloud status JOB` when it is back.', 'For the local cloud: `rawcloud local start`.'],
  },
  E_CAPACITY: {
    means: 'AWS has no free machine of any offer in the plan at the moment. Nothing is on, nothing is charged.',
    why: ['The types asked for are in short supply in the zones of this region.', 'Spot capacity is gone.'],
    todo: [
      'Allow more types: leave out `--vm-type`, or name several.',
      '`--spot-policy spot_with_fallback` or `on-demand`.',
      'Try again later, or another `--region`.',
    ],
  },
  E_QUOTA: {
    means: 'The account may not run so many vCPUs of this kind. Nothing is on.',
    why: ['New accounts have small quotas, often zero for GPUs.', 'Other VMs of the account use the quota up.'],
    todo: [
      'Raise the quota that the error names: Service Quotas in the AWS console, mostly granted within hours.',
      'Ask for a smaller VM or another family.',
    ],
  },
  E_NOT_ALLOWED: {
    means: 'Whoever owns the scaffolding has set a limit that the job does not keep. Nothing was launched.',
    why: [
      'As many VMs are on as the scaffolding allows.',
      'The VM type, the spot policy or the lifetime is none of those allowed.',
      'A tag says otherwise than one that the owner wants on every VM.',
    ],
    todo: [
      'The line below the error says what is allowed: ask for that.',
      'Ask the owner of the scaffolding to change it: props of `RawCloud`.',
    ],
  },
  E_PERMISSION: {
    means: 'AWS denied a call. Nothing was changed by that call.',
    why: [
      'The identity lacks the action that the error names.',
      'A policy of the organization forbids it.',
      'The scaffolding belongs to another team.',
    ],
    todo: ['Have `grantRun` of the scaffolding given to your identity.', 'Show your administrator the action in the error.'],
  },
  E_THROTTLED: {
    means: 'AWS slowed the calls of the account down for so long that rawcloud gave up.',
    why: ['Other programs in the account make many EC2 calls.', 'Many jobs were started at once.'],
    todo: ['Try again in a minute.', '`rawcloud ps` shows whether the job is on.'],
  },
  E_AWS_REQUEST: {
    means: 'AWS refused a request as not valid.',
    why: [
      'An image, type, zone or subnet does not exist in this region or does not go with the others.',
      'The account is not yet activated.',
    ],
    todo: ['Read the text of AWS in the error.', '`rawcloud run --dry-run` shows what would be asked for.'],
  },
  E_AWS: {
    means: 'AWS failed on its side.',
    why: ['An internal error of AWS that retries did not get over.'],
    todo: ['Try again.', '`rawcloud ps` shows whether the job is on; `rawcloud reap` ends what nobody needs.'],
  },
  E_BOOT: {
    means: 'The VM did not come so far as to run the job. It is ended.',
    why: [
      'The image lacks bash, curl or tar, or is of another architecture.',
      'The VM does not reach S3: a subnet without route or address.',
      'EC2 ended it at once.',
    ],
    todo: ['`rawcloud logs --boot JOB` shows the log of the boot.', 'Leave out `--image`.', 'Check the route from the subnet to S3.'],
  },
  E_LOST: {
    means: 'The VM went away before the command ended. Output up to the last report is kept; the bill ends there.',
    why: ['A spot VM was taken back.', 'The hardware failed.', 'Somebody ended the VM.', 'The machine ran out of memory as a whole.'],
    todo: ['Run it again.', '`--spot-policy on-demand` is not taken back.', 'More `--memory`.'],
  },
  E_EXEC_UNREACHABLE: {
    means: '`rawcloud exec` found the VM of the job, but Session Manager has no connection to it. Nothing was run; the job goes on.',
    why: [
      'The VM booted a moment ago, and its SSM agent has not reported yet.',
      'The image has no SSM agent. Amazon Linux and the Ubuntu images of AWS have one.',
      'The VM was launched before the scaffolding allowed exec: its role did not let the agent report when it tried.',
      'The subnet is private and has no way to the services ssm and ssmmessages.',
    ],
    todo: [
      'Try again in half a minute.',
      'Run the job anew when the scaffolding was changed after its start.',
      'In a private subnet: a NAT gateway, or interface endpoints for ssm and ssmmessages.',
    ],
  },
  E_EXEC_LOST: {
    means: 'A command of `rawcloud exec` was under way when its session ended; it was ended, too. The job itself is not touched by it.',
    why: [
      'The job ended, and its VM with it.',
      'The network was away for longer than the session waits.',
      'Somebody ended the session, or the account limits how long sessions may last or be idle.',
    ],
    todo: ['`rawcloud status` tells whether the job still runs; if so, run the command again.'],
  },
  E_TIMEOUT: {
    means: 'The command ran longer than allowed and was ended.',
    why: [
      '`--timeout` or the lifetime of the VM (`--max-lifetime`, 24 h unless asked otherwise) was reached.',
      'With `--idle-timeout`: the command did next to nothing for so long; the message has the numbers.',
    ],
    todo: ['Give it longer: `--timeout`, `--idle-timeout`, `--max-lifetime`, or while it runs `rawcloud extend JOB 12h`.'],
  },
  E_STOPPED: {
    means: 'The job was stopped on request. Its VM is gone or going.',
    why: ['`rawcloud stop`, or Ctrl-C in `rawcloud run`.'],
    todo: ['`rawcloud logs JOB` shows what it wrote until then.'],
  },
  E_ABORTED: {
    means:
      'rawcloud was interrupted, or what it asked was answered with no. Of a run nothing was launched, and nothing is left on; a deployment that CloudFormation is at goes on by itself, as the message then says.',
    why: ['Ctrl-C, SIGTERM, an answer that was not yes, or an aborted signal of a program that uses the library.'],
    todo: ['Run it again. What was uploaded already need not travel again; a deployment waits for the end of the one before it.'],
  },
  E_NEWER: {
    means: 'A record in the bucket was written by a newer rawcloud than this one. It was not touched.',
    why: ['A colleague or a CI system has a newer version.'],
    todo: ['Update rawcloud.'],
  },
  E_RECORD: {
    means: 'An object in the bucket is not what it should be, or is missing.',
    why: ['It was written or deleted by something other than rawcloud.', 'A fault of rawcloud.'],
    todo: ['Run the job again.', 'Look whether a lifecycle rule or a person deletes objects in the bucket.'],
  },
  E_INTEGRITY: {
    means: 'Content does not have the hash that it is stored under. It was not used.',
    why: ['A download broke off.', 'A file of a cache was changed.', 'A registry serves another file than was pinned.'],
    todo: ['Run it again.', 'Delete `~/.cache/rawcloud` (or `$XDG_CACHE_HOME/rawcloud`): it is made anew.'],
  },
  E_LOCAL_CLOUD: {
    means: 'The local cloud could not do what was asked.',
    why: ['Its state belongs to another user or process.', 'A port or the disk could not be used.'],
    todo: ['`rawcloud local status`.', '`rawcloud local reset` ends it and deletes its state.'],
  },
  E_INTERNAL: {
    means: 'A fault of rawcloud itself. A job that was launched goes on; its VM ends itself at the end of its lifetime at the latest.',
    why: ['Something happened that nobody thought of.'],
    todo: ['`RAWCLOUD_DEBUG=1` in front of the command shows where; please report it with that.', '`rawcloud ps` shows what is on.'],
  },
};
