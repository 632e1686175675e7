import type { Duration } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { IStringParameter } from 'aws-cdk-lib/aws-ssm';
import {
  checkTagsBeside,
  checkWithinLimits,
  defaultsWithin,
  problemsOfAsked,
  problemsOfPackageChoices,
  problemsOfSetup,
  readPackageWords,
  RETRY_REASONS,
} from '../contract';
import type { Definition, SecretSource } from '../contract';
import { Architecture, Overlap } from './choices';
import { isLate } from './late';
import type { SpotPolicy } from './choices';
import type { IRawCloud } from './i-raw-cloud';

/** A variable whose value the VM itself fetches, with the job's role. */
export class JobSecret {
  /** A secret of Secrets Manager, or one field of its JSON. */
  static fromSecretsManager(secret: ISecret, field?: string): JobSecret {
    return new JobSecret({ kind: 'secretsmanager', arn: secret.secretArn, ...(field === undefined ? {} : { field }) }, (role) =>
      secret.grantRead(role),
    );
  }

  /** A parameter of the Parameter Store, encrypted or not. */
  static fromSsmParameter(parameter: IStringParameter): JobSecret {
    return new JobSecret({ kind: 'ssm', name: parameter.parameterName }, (role) => parameter.grantRead(role));
  }

  private constructor(
    /** @internal */
    readonly source: SecretSource,
    /** @internal */
    readonly grantRead: (role: Parameters<ISecret['grantRead']>[0]) => void,
  ) {}
}

/** What a deployed job runs, and on what. */
export interface JobOptions {
  /** The scaffolding that it runs in; one of another stack has to be `shared`. */
  readonly cloud: IRawCloud;

  /**
   * Directory that travels with the job, by the ignore rules of `rawcloud run`. The command runs in it. Files and packages
   * are pinned when the app is synthesized: what was deployed is what runs. Packages come from its lockfiles, whatever is
   * installed: those of npm, pnpm, yarn and bun; `requirements.txt` with exact versions, `uv.lock` and its like, and `.python-version`.
   */
  readonly source: string;

  /** Program and arguments. What is known at deployment only goes into {@link variables}. */
  readonly command: string[];

  /**
   * Commands of bash that each VM runs as root, in order and in {@link source}, before packages are installed: `dnf install -y gdal`. They
   * have the variables and secrets of the job. The first that fails ends the run. @default - none
   */
  readonly setup?: string[];

  /** How long each of {@link setup} may take. @default Duration.minutes(30) */
  readonly setupTimeout?: Duration;

  /**
   * How near Python packages on the VM are to what the lockfile has: 'exact'; 'compatible', another version of the same minor release where
   * that one cannot be had, and rules drop what is of another system; or 'loose', solved on the VM. Of one package as 'torch=loose'.
   * @default - exact
   */
  readonly packageStrictness?: string[];

  /** Names of Python packages of the lockfile that are left out. @default - none */
  readonly packageIgnore?: string[];

  /** Names of Python packages of the lockfile that are taken, with what they need; all others are left out. @default - all */
  readonly packageOnly?: string[];

  /**
   * Requirements of Python besides the lockfile, as pip takes them, in place of what it has under the name. Solved when an environment is
   * built: what is not `NAME==VERSION` may be another version another day. @default - none
   */
  readonly packageAdd?: string[];

  /**
   * Files and directories, relative to {@link source}, of which all is kept that the job writes there, in any size and number: in the
   * scaffolding's bucket, for `rawcloud download`. @default - up to 100 MB of all new files
   */
  readonly keep?: string[];

  /** 1 to 64 letters, digits, dots, dashes and underscores; shown by `rawcloud ps`. @default - the construct's id */
  readonly name?: string;

  /** Variables in the clear; they may name what the app makes. @default - none */
  readonly variables?: { [name: string]: string };

  /** Variables whose values the VM fetches with the job's own role, so that they never pass through rawcloud. @default - none */
  readonly secrets?: { [name: string]: JobSecret };

  /** VM types to use, best first. @default - the cheapest that fit */
  readonly vmTypes?: string[];

  /** Families to choose from, as `m7i` or `c`. @default - m, c and r of generation 6 and later */
  readonly families?: string[];

  /** Least number of vCPUs. @default 2 */
  readonly cpu?: number;

  /** Least memory, GiB. @default - 4 for each vCPU */
  readonly memoryGiB?: number;

  /** @default Architecture.X86_64 */
  readonly architecture?: Architecture;

  /** GiB. @default 30 */
  readonly diskGiB?: number;

  /** AMI id. @default - the newest Amazon Linux 2023 at each launch */
  readonly image?: string;

  /** @default - SpotPolicy.ON_DEMAND, or the first that the scaffolding allows */
  readonly spotPolicy?: SpotPolicy;

  /** End of the command after this long. @default - none but the lifetime */
  readonly timeout?: Duration;

  /** End of a command that uses next to no CPU, GPU, disk and network and writes nothing for this long. @default - none */
  readonly idleTimeout?: Duration;

  /** The VM ends itself after this long, whatever happens. @default - 24 hours, or what the scaffolding allows if that is less */
  readonly maxLifetime?: Duration;

  /** New VMs that start the command again when one is lost or taken back. @default 2 */
  readonly retries?: number;

  /** @default Overlap.SKIP */
  readonly overlap?: Overlap;

  /** False: ticks are recorded as skipped. @default true */
  readonly enabled?: boolean;

  /** Tags of VM, disk and ledger. @default - none */
  readonly jobTags?: { [key: string]: string };
}

const GRACE_S = 10;

/** The part of a definition that is neither files nor packages. @throws for what cannot be pinned now */
export function definitionOf(
  options: JobOptions,
): Pick<Definition, 'hardware' | 'limits' | 'overlap' | 'tags'> & Pick<Definition['environment'], 'image'> {
  checkPinned(options);
  checkAsked(options);
  const { vmTypes, families, cpu = 2, retries = 2, timeout, idleTimeout, cloud } = options;
  const within = defaultsWithin(cloud.jobHost.demands.limits ?? {});
  const { spotPolicy } = options;
  const lifetimeS = options.maxLifetime?.toSeconds();
  checkWithinLimits(cloud.jobHost.demands, { ...within, ...definedOf({ lifetimeS, spotPolicy }), vmTypes });
  return {
    hardware: {
      ...(vmTypes ? { vmTypes } : { cpu: { min: cpu }, memoryGiB: { min: options.memoryGiB ?? 4 * cpu } }),
      ...(families ? { families } : {}),
      arch: options.architecture ?? Architecture.X86_64,
      diskGiB: options.diskGiB ?? 30,
      ...(spotPolicy ? { spotPolicy } : {}),
    },
    limits: {
      ...(timeout ? { taskTimeoutS: timeout.toSeconds() } : {}),
      ...(idleTimeout ? { idleS: idleTimeout.toSeconds() } : {}),
      ...(lifetimeS === undefined ? {} : { lifetimeS }),
      graceS: GRACE_S,
      retries: retries === 0 ? [] : RETRY_REASONS.map((on) => ({ on, times: retries })),
    },
    overlap: options.overlap ?? Overlap.SKIP,
    tags: { ...options.jobTags },
    ...(options.image ? { image: options.image } : {}),
  };
}

/** Files are laid down now: what CloudFormation finds out later cannot be in them. */
function checkPinned({ cloud: _cloud, variables = {}, secrets = {}, ...pinned }: JobOptions): void {
  const named = {
    ...pinned,
    ...Object.fromEntries(
      [...Object.keys(variables), ...Object.keys(secrets)].filter(isLate).map((key) => ['the name of a variable', key]),
    ),
  };
  const late = Object.entries(named).filter(([, value]) => isLate(value));
  if (late.length === 0) return;
  const names = late.map(([name]) => `'${name}'`).join(', ');
  throw new Error(
    `rawcloud: ${names} ${late.length === 1 ? 'is' : 'are'} not known before the deployment. Hand such values over in 'variables'.`,
  );
}

/** @throws with every problem found, not just the first */
function checkAsked({ vmTypes, families, cpu, memoryGiB, diskGiB, image, retries, ...options }: JobOptions): void {
  checkTagsBeside(options.cloud.jobHost.demands, options.jobTags ?? {});
  const packages = packageChoicesOf(options);
  const problems = [
    ...problemsOfSetup({ commands: options.setup ?? [], timeoutS: options.setupTimeout?.toSeconds() }),
    ...packages.problems,
    ...problemsOfPackageChoices(packages.choices),
    ...problemsOfAsked({
      ...definedOf({ vmTypes, families, diskGiB, image, retries, spotPolicy: options.spotPolicy, tags: options.jobTags }),
      ...(cpu === undefined ? {} : { cpu: { min: cpu } }),
      ...(memoryGiB === undefined ? {} : { memoryGiB: { min: memoryGiB } }),
      ...(options.timeout ? { timeoutS: options.timeout.toSeconds() } : {}),
      ...(options.idleTimeout ? { idleTimeoutS: options.idleTimeout.toSeconds() } : {}),
      ...(options.maxLifetime ? { lifetimeS: options.maxLifetime.toSeconds() } : {}),
    }),
  ];
  if (problems.length > 0) throw new Error(`rawcloud: ${problems.join('; ')}`);
}

export function packageChoicesOf({
  packageStrictness: strictness,
  packageIgnore: ignore,
  packageOnly: only,
  packageAdd: add,
}: Pick<JobOptions, 'packageStrictness' | 'packageIgnore' | 'packageOnly' | 'packageAdd'>): ReturnType<typeof readPackageWords> {
  return readPackageWords(definedOf({ strictness, ignore, only, add }), 'packageStrictness');
}

/** Without what was not said: to be undefined is not to be absent. */
function definedOf<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
