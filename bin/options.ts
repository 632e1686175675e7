/** Options as typed, by verb: text that is checked where it is used. */

/** Options that nearly all verbs share: where to look, and how to answer. */
export interface ConnectionOptions {
  readonly local?: boolean;
  readonly region?: string;
  readonly profile?: string;
  readonly scaffold?: string;
  readonly json?: boolean;
}

export interface RunOptions extends ConnectionOptions {
  readonly name?: string;
  readonly vmType?: readonly string[];
  readonly family?: readonly string[];
  readonly spotPolicy?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly arch?: string;
  readonly disk?: string;
  readonly image?: string;
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly secretEnv?: readonly string[];
  readonly secretEnvFile?: readonly string[];
  readonly forward?: readonly string[];
  readonly timeout?: string;
  readonly idleTimeout?: string;
  readonly maxLifetime?: string;
  readonly retries?: string;
  readonly tag?: readonly string[];
  readonly detach?: boolean;
  readonly upload?: readonly string[];
  readonly keep?: readonly string[];
  readonly download?: boolean;
  readonly downloadTo?: string;
  readonly role?: string;
  /** False by `--no-credentials`. */
  readonly credentials: boolean;
  /** False by `--no-cache`. */
  readonly cache: boolean;
  readonly packages?: string;
  readonly devPackages?: boolean;
  readonly packageStrictness?: readonly string[];
  readonly packageIgnore?: readonly string[];
  readonly packageOnly?: readonly string[];
  readonly packageAdd?: readonly string[];
  readonly setup?: readonly string[];
  readonly setupScript?: string;
  readonly setupTimeout?: string;
  /** Set by `env build`. */
  readonly environmentOnly?: boolean;
  readonly root?: boolean;
  readonly dryRun?: boolean;
  readonly quiet?: boolean;
  readonly yes?: boolean;
}

/** Of `env build`: a run of another kind. */
export type EnvBuildOptions = RunOptions;

export interface EnvListOptions extends ConnectionOptions {
  readonly all?: boolean;
}

export interface EnvDeleteOptions extends ConnectionOptions {
  readonly all?: boolean;
  readonly unusedFor?: string;
  readonly yes?: boolean;
}

/** Of `env show` and `env diff`, which ask no account. */
export interface EnvHereOptions {
  readonly json?: boolean;
  readonly local?: boolean;
  readonly profile?: string;
  readonly packages?: string;
  readonly setup?: readonly string[];
  readonly setupScript?: string;
  readonly arch?: string;
  readonly forward?: readonly string[];
  /** False by `--no-credentials`. */
  readonly credentials?: boolean;
}

export interface PsOptions extends ConnectionOptions {
  readonly all?: boolean;
  readonly limit?: string;
}

export interface StatusOptions extends ConnectionOptions {
  readonly timings?: boolean;
}

export interface LogsOptions extends ConnectionOptions {
  readonly follow?: boolean;
  readonly boot?: boolean;
  readonly system?: boolean;
  readonly environment?: boolean;
}

export interface AttachOptions extends ConnectionOptions {
  readonly quiet?: boolean;
}

export interface StopOptions extends ConnectionOptions {
  /** False by `--no-wait`. */
  readonly wait: boolean;
}

export interface DownloadOptions extends ConnectionOptions {
  readonly to?: string;
  readonly overwrite?: boolean;
}

export interface ExecOptions extends ConnectionOptions {
  readonly interactive?: boolean;
  readonly tty?: boolean;
}

export interface DeployOptions extends ConnectionOptions {
  /** The same as `scaffold`. */
  readonly name?: string;
  readonly maxVms?: string;
  readonly maxLifetime?: string;
  readonly allowVmType?: readonly string[];
  readonly allowSpotPolicy?: readonly string[];
  readonly vmTag?: readonly string[];
  readonly vpc?: string;
  readonly subnets?: readonly string[];
  readonly securityGroup?: readonly string[];
  readonly watchRegion?: readonly string[];
  readonly permissionsBoundary?: string;
  readonly bucket?: string;
  readonly key?: string;
  readonly removalPolicy?: string;
  readonly shared?: boolean;
  readonly allowExec?: boolean;
  readonly metrics?: boolean;
  readonly reaperInterval?: string;
  readonly logRetention?: string;
  readonly bootstrap?: boolean;
  readonly executionPolicy?: readonly string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export interface DestroyOptions extends ConnectionOptions {
  readonly stopJobs?: boolean;
  readonly export?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export interface LocalOptions {
  readonly json?: boolean;
  /** What VMs shall be; of `start` alone. */
  readonly driver?: string;
}

export type LocalAction = 'start' | 'stop' | 'status' | 'reset' | 'serve';
