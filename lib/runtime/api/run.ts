import type { Arch, Bounds, Login, Notice, Offer, PackageChoices, SpotPolicy } from '../../contract';
import type { UploadRequest } from '../../capture/uploads';

export type { UploadRequest };

/** Facts of the synchronized tree, for the question whether more than a gigabyte shall travel. */
export interface TreeSize {
  readonly files: number;
  readonly bytes: number;
  /** The ten largest files or directories of the top levels, largest first. */
  readonly largest: readonly { readonly path: string; readonly bytes: number }[];
}

/** What to run, on what, and with which parts of the developer's machine. */
export interface RunRequest {
  /** Program and arguments, as typed. */
  readonly command: readonly string[];
  /** Directory the command is typed in. @default the client's working directory */
  readonly cwd?: string;
  /** 1 to 64 letters, digits, `.`, `_`, `-`. @default - none */
  readonly name?: string;
  /** VM types to use, best first. @default - chosen by cpu, memory and arch */
  readonly vmTypes?: readonly string[];
  /** Families or their first letters to choose from, best first, as `m7i` or `c`. @default - m, c and r of generation 6 and later */
  readonly families?: readonly string[];
  /** @default 'on-demand' */
  readonly spotPolicy?: SpotPolicy;
  /** @default { min: 2 } */
  readonly cpu?: Bounds;
  /** @default { min: 8 } */
  readonly memoryGiB?: Bounds;
  /** @default - the architecture of this machine */
  readonly arch?: Arch;
  /** @default 30 */
  readonly diskGiB?: number;
  /** AMI id. @default - the newest Amazon Linux 2023 */
  readonly image?: string;
  /** Variables of the job. Values are secret unless the name is on the list of harmless ones. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Variables whose values are secret whatever their names: in no spec and no record. @default - none */
  readonly secretVariables?: Readonly<Record<string, string>>;
  /** Logins of this machine that the job has as well, besides AWS. @default - none */
  readonly logins?: readonly Login[];
  /** Seconds from exec to the command's end. @default - none but the lifetime */
  readonly timeoutS?: number;
  /** A command that uses next to no CPU, GPU, disk and network and writes nothing for so many seconds is ended. @default - never */
  readonly idleTimeoutS?: number;
  /** Seconds from now to the end of the VM. @default 86400 */
  readonly lifetimeS?: number;
  /**
   * New VMs that may start the command again, from its first line, when one is lost or taken back by EC2. A command that
   * fails is not run again. 0 to 100. @default 0
   */
  readonly retries?: number;
  readonly tags?: Readonly<Record<string, string>>;
  /** Whether the job holds the caller's AWS identity. @default 'forward' */
  readonly credentials?: 'forward' | 'none';
  /**
   * Name of a JobRole: what the job is for AWS instead of its caller, as long as it runs and whoever watches. @default - the caller's identity
   */
  readonly role?: string;
  /**
   * 'use': packages are restored from an earlier job's environment where there is one. 'rebuild': they are built anew, and take
   * its place. @default 'use'
   */
  readonly cache?: 'use' | 'rebuild';
  /**
   * 'lock': packages of the project's lockfile; 'installed': those that are installed here, whatever a lockfile says.
   * @default - what is installed, with the hashes of a lockfile that says the same
   */
  readonly packages?: 'lock' | 'installed';
  /** Development dependencies of Node travel too. @default - only when the command names one */
  readonly devPackages?: boolean;
  /**
   * Which of the Python packages that are installed here the job gets, and how exactly.
   * @default - all, in the same version and build; on VMs of another platform in the same version where it has one
   */
  readonly packageChoices?: PackageChoices;
  /**
   * Commands of bash that each VM runs as root, in order and in the working directory, before packages are installed. The first that
   * fails ends the job. @default - none
   */
  readonly setup?: readonly string[];
  /** File that is run so before them, relative to the working directory. @default - none */
  readonly setupScript?: string;
  /** Seconds that each of them may take. @default 1800 */
  readonly setupTimeoutS?: number;
  /**
   * The VM makes the command's environment and keeps it for later jobs; instead of the command it runs `true`. An empty command then stands
   * for whatever is active here. @default false
   */
  readonly environmentOnly?: boolean;
  /** Run as root, with the VM's own role in reach. @default false */
  readonly root?: boolean;
  /** Files and directories that travel whole, whatever the ignore rules and their size say, also from outside the tree. @default - none */
  readonly uploads?: readonly UploadRequest[];
  /**
   * What of the files that the job writes is kept whole, in any size and number, besides the up to 100 MB of others: files and directories
   * relative to the working directory, in the tree. @default - none
   */
  readonly keep?: readonly string[];
  /** What the job reads from standard input. @default - the null device */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Asked before more than 1 GB travels. @default - refused with E_TREE_TOO_LARGE */
  readonly confirmLargeTree?: (size: TreeSize) => Promise<boolean>;
}

/** Another way to run the same: nothing of it happens by itself. */
export interface PlanAlternative {
  readonly kind: 'cheaper' | 'faster';
  readonly offer: Offer;
  /** VM, disk and address together. */
  readonly usdPerHour: number;
  /** What is gained, and what to know about it. */
  readonly text: string;
  /** Options to add to the command line. */
  readonly options: string;
}

/** What `--dry-run` shows: nothing was launched, nothing uploaded. */
export interface RunPlan {
  readonly offers: readonly Offer[];
  readonly image: string;
  readonly diskGiB: number;
  readonly lifetimeS: number;
  /** New VMs that may follow one that is lost. */
  readonly retries: number;
  /** VM, disk and address together, of the first offer. */
  readonly usdPerHour: number;
  /** What that is made of, dollars an hour. */
  readonly parts: { readonly vm: number; readonly disk: number; readonly address: number };
  /** Up to three other ways, the cheaper ones first. */
  readonly alternatives: readonly PlanAlternative[];
  /** The least a launch costs: EC2 bills at least 60 s. */
  readonly minimumUsd: number;
  /** Who the job will be for AWS, in words, and until when. */
  readonly identity: { readonly kind: 'none' | 'forwarded' | 'role'; readonly arn?: string; readonly expiresAt?: string };
  /** Those that the job has besides AWS. */
  readonly logins: readonly Login[];
  readonly tree: TreeSize & { readonly root: string };
  readonly packages: readonly { readonly kind: string; readonly title: string }[];
  readonly notices: readonly Notice[];
}
