import {
  checkTagsBeside,
  checkWithinLimits,
  defaultsWithin,
  jobRoleNameProblem,
  LOGINS,
  problemsOfAsked,
  problemsOfPackageChoices,
  problemsOfSetup,
  RawcloudError,
} from '../contract';
import type { Arch, Bounds, Limits, Login, PackageChoices, Scaffold, SpotPolicy } from '../contract';
import type { UploadRequest } from '../capture/uploads';
import type { RunRequest } from './api';

/** A run request with every default filled in, valid. */
export interface NormalRequest {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly name?: string;
  readonly vmTypes?: readonly string[];
  readonly families?: readonly string[];
  readonly cpu: Bounds;
  readonly memoryGiB: Bounds;
  /** Absent: as the VM types have it, else as this machine has it. */
  readonly arch?: Arch;
  readonly spotPolicy: SpotPolicy;
  readonly diskGiB: number;
  readonly image?: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Never in the clear, whatever their names. */
  readonly secretVariables: Readonly<Record<string, string>>;
  readonly logins: readonly Login[];
  readonly timeoutS?: number;
  readonly idleTimeoutS?: number;
  readonly lifetimeS: number;
  readonly retries: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly credentials: 'forward' | 'none';
  readonly role?: string;
  readonly cache: 'use' | 'rebuild';
  readonly packages?: 'lock' | 'installed';
  readonly devPackages?: true;
  readonly packageChoices: PackageChoices;
  readonly setup: readonly string[];
  readonly setupScript?: string;
  readonly setupTimeoutS?: number;
  readonly environmentOnly?: true;
  readonly uploads: readonly UploadRequest[];
  readonly keep: readonly string[];
  readonly root: boolean;
}

/** Where packages may be taken from. */
export const PACKAGE_SOURCES = ['lock', 'installed'] as const;

const GIB_PER_VCPU = 4;

const DEFAULTS = {
  cpu: { min: 2 },
  diskGiB: 30,
  retries: 0,
  credentials: 'forward',
  cache: 'use',
  root: false,
} as const;

const KNOWN: Readonly<Record<keyof RunRequest, true>> = {
  command: true,
  cwd: true,
  name: true,
  vmTypes: true,
  families: true,
  spotPolicy: true,
  cpu: true,
  memoryGiB: true,
  arch: true,
  diskGiB: true,
  image: true,
  variables: true,
  secretVariables: true,
  logins: true,
  timeoutS: true,
  idleTimeoutS: true,
  lifetimeS: true,
  retries: true,
  tags: true,
  credentials: true,
  role: true,
  cache: true,
  packages: true,
  devPackages: true,
  packageChoices: true,
  setup: true,
  setupScript: true,
  setupTimeoutS: true,
  environmentOnly: true,
  uploads: true,
  keep: true,
  root: true,
  stdin: true,
  confirmLargeTree: true,
};

/**
 * A request with its defaults, as the scaffolding allows it.
 * @throws E_USAGE, E_NOT_ALLOWED
 */
export function requestWithin(scaffold: Scaffold, request: RunRequest, cwd: string): NormalRequest {
  const normal = normalizeRequest(request, cwd, scaffold.limits);
  checkTagsBeside(scaffold, normal.tags);
  checkWithinLimits(scaffold, normal);
  return normal;
}

/**
 * Checks and completes what was asked: the one place where requests are validated.
 * @param limits what the defaults keep within
 * @throws E_USAGE with every problem found, not just the first
 */
export function normalizeRequest(request: RunRequest, cwd: string, limits: Limits = {}): NormalRequest {
  const within = defaultsWithin(limits);
  const problems = [
    ...unknownKeys(request),
    ...commandProblems(request),
    ...problemsOfAsked(request),
    ...variableProblems(request),
    ...loginProblems(request),
    ...packageProblems(request),
    ...problemsOfSetup({
      commands: request.setup ?? [],
      hasScript: request.setupScript !== undefined,
      timeoutS: request.setupTimeoutS,
    }),
    ...roleProblems(request),
    ...problemsOfPackageChoices(request.packageChoices ?? {}),
    ...choicesBesideLock(request),
  ];
  if (problems.length > 0) {
    const text = problems.length === 1 ? problems[0]! : `${problems.length} problems:\n${problems.map((p) => `  - ${p}`).join('\n')}`;
    throw new RawcloudError('E_USAGE', text, { data: { problems } });
  }
  return {
    command: request.command,
    cwd: request.cwd ?? cwd,
    ...(request.name === undefined ? {} : { name: request.name }),
    ...(request.vmTypes && request.vmTypes.length > 0 ? { vmTypes: request.vmTypes } : {}),
    ...(request.families && request.families.length > 0 ? { families: request.families } : {}),
    spotPolicy: request.spotPolicy ?? within.spotPolicy,
    cpu: request.cpu ?? DEFAULTS.cpu,
    // Balanced families have 4 GiB per vCPU: the default asks for as much.
    memoryGiB: request.memoryGiB ?? { min: GIB_PER_VCPU * (request.cpu?.min ?? DEFAULTS.cpu.min) },
    ...(request.arch ? { arch: request.arch } : {}),
    diskGiB: request.diskGiB ?? DEFAULTS.diskGiB,
    ...(request.image ? { image: request.image } : {}),
    variables: request.variables ?? {},
    secretVariables: request.secretVariables ?? {},
    logins: [...new Set(request.logins)],
    ...(request.timeoutS === undefined ? {} : { timeoutS: request.timeoutS }),
    ...(request.idleTimeoutS === undefined ? {} : { idleTimeoutS: request.idleTimeoutS }),
    lifetimeS: request.lifetimeS ?? within.lifetimeS,
    retries: request.retries ?? DEFAULTS.retries,
    tags: request.tags ?? {},
    credentials: request.credentials ?? DEFAULTS.credentials,
    ...(request.role === undefined ? {} : { role: request.role }),
    cache: request.cache ?? DEFAULTS.cache,
    ...(request.packages ? { packages: request.packages } : {}),
    ...(request.devPackages ? { devPackages: true } : {}),
    packageChoices: request.packageChoices ?? {},
    setup: request.setup ?? [],
    ...(request.setupScript === undefined ? {} : { setupScript: request.setupScript }),
    ...(request.setupTimeoutS === undefined ? {} : { setupTimeoutS: request.setupTimeoutS }),
    ...(request.environmentOnly ? { environmentOnly: true } : {}),
    uploads: request.uploads ?? [],
    keep: request.keep ?? [],
    root: request.root ?? DEFAULTS.root,
  };
}

function unknownKeys(request: RunRequest): string[] {
  const allowed = Object.keys(KNOWN);
  return Object.keys(request)
    .filter((key) => !allowed.includes(key))
    .map((key) => `'${key}' is not a part of a run request; allowed are ${allowed.join(', ')}`);
}

function commandProblems({ command, name, environmentOnly = false }: RunRequest): string[] {
  return [
    ...(Array.isArray(command) && (command.length > 0 || environmentOnly) && command[0] !== '' ? [] : ['there is no command to run']),
    ...(command?.some((word) => word.includes('\0')) ? ['the command holds a NUL byte'] : []),
    ...(name === undefined || /^[A-Za-z0-9._-]{1,64}$/.test(name)
      ? []
      : [`name '${name}' is not valid; allowed are 1 to 64 letters, digits, '.', '_' and '-'`]),
  ];
}

function variableProblems({ variables = {}, secretVariables = {} }: RunRequest): string[] {
  const twice = Object.keys(variables).filter((name) => name in secretVariables);
  const wrong = [...Object.keys(variables), ...Object.keys(secretVariables)]
    .filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    .map((name) => `'${name}' is not a name of an environment variable; allowed are letters, digits and '_'`);
  return [...wrong, ...twice.map((name) => `'${name}' is asked for both as a variable and as a secret one`)];
}

function roleProblems({ role, credentials }: RunRequest): string[] {
  if (role === undefined) return [];
  const name = jobRoleNameProblem(role);
  return [
    ...(name === undefined ? [] : [name]),
    ...(credentials === 'none' ? [`role '${role}' is an AWS identity, but the job shall have none (--no-credentials)`] : []),
  ];
}

function choicesBesideLock({ packages, packageChoices = {} }: RunRequest): string[] {
  if (packages !== 'lock' || Object.keys(packageChoices).length === 0) return [];
  return ['the packages of the lockfile are asked for, and choices among those that are installed: one excludes the other'];
}

function loginProblems({ logins = [] }: RunRequest): string[] {
  const wrong = logins.filter((login) => !LOGINS.includes(login));
  return wrong.map((login) => `'${login}' is not a login that can be forwarded; allowed are ${LOGINS.join(', ')}`);
}

function packageProblems({ packages }: RunRequest): string[] {
  if (packages === undefined || PACKAGE_SOURCES.includes(packages)) return [];
  return [`packages '${String(packages)}' is not known; allowed are ${PACKAGE_SOURCES.join(', ')}`];
}
