import { MOST_RETRIES, RawcloudError, SpotPolicySchema, TAG_PREFIX } from '../contract';
import type { Arch, Bounds, SpotPolicy } from '../contract';
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
  readonly timeoutS?: number;
  readonly idleTimeoutS?: number;
  readonly lifetimeS: number;
  readonly retries: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly credentials: 'forward' | 'none';
  readonly root: boolean;
}

const GIB_PER_VCPU = 4;

const DEFAULTS = {
  cpu: { min: 2 },
  spotPolicy: 'on-demand',
  diskGiB: 30,
  lifetimeS: 86_400,
  retries: 0,
  credentials: 'forward',
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
  timeoutS: true,
  idleTimeoutS: true,
  lifetimeS: true,
  retries: true,
  tags: true,
  credentials: true,
  root: true,
  stdin: true,
  confirmLargeTree: true,
};

/** EC2 allows 50 tags; five are ours. */
const MOST_TAGS = 45;

/**
 * Checks and completes what was asked: the one place where requests are validated.
 * @throws E_USAGE with every problem found, not just the first
 */
export function normalizeRequest(request: RunRequest, cwd: string): NormalRequest {
  const problems = [
    ...unknownKeys(request),
    ...commandProblems(request),
    ...numberProblems(request),
    ...hardwareProblems(request),
    ...tagProblems(request),
    ...variableProblems(request),
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
    spotPolicy: request.spotPolicy ?? DEFAULTS.spotPolicy,
    cpu: request.cpu ?? DEFAULTS.cpu,
    // Balanced families have 4 GiB per vCPU: the default asks for as much.
    memoryGiB: request.memoryGiB ?? { min: GIB_PER_VCPU * (request.cpu?.min ?? DEFAULTS.cpu.min) },
    ...(request.arch ? { arch: request.arch } : {}),
    diskGiB: request.diskGiB ?? DEFAULTS.diskGiB,
    ...(request.image ? { image: request.image } : {}),
    variables: request.variables ?? {},
    ...(request.timeoutS === undefined ? {} : { timeoutS: request.timeoutS }),
    ...(request.idleTimeoutS === undefined ? {} : { idleTimeoutS: request.idleTimeoutS }),
    lifetimeS: request.lifetimeS ?? DEFAULTS.lifetimeS,
    retries: request.retries ?? DEFAULTS.retries,
    tags: request.tags ?? {},
    credentials: request.credentials ?? DEFAULTS.credentials,
    root: request.root ?? DEFAULTS.root,
  };
}

function unknownKeys(request: RunRequest): string[] {
  const allowed = Object.keys(KNOWN);
  return Object.keys(request)
    .filter((key) => !allowed.includes(key))
    .map((key) => `'${key}' is not a part of a run request; allowed are ${allowed.join(', ')}`);
}

function commandProblems({ command, name, image }: RunRequest): string[] {
  return [
    ...(Array.isArray(command) && command.length > 0 && command[0] !== '' ? [] : ['there is no command to run']),
    ...(command?.some((word) => word.includes('\0')) ? ['the command holds a NUL byte'] : []),
    ...(name === undefined || /^[A-Za-z0-9._-]{1,64}$/.test(name)
      ? []
      : [`name '${name}' is not valid; allowed are 1 to 64 letters, digits, '.', '_' and '-'`]),
    ...(image === undefined || /^ami-[0-9a-f]{8,17}$/.test(image) ? [] : [`image '${image}' is not an AMI id like ami-0123456789abcdef0`]),
  ];
}

function numberProblems(request: RunRequest): string[] {
  const { diskGiB, timeoutS, idleTimeoutS, lifetimeS, retries } = request;
  return [
    ...boundsProblems('cpu', request.cpu, 'vCPU'),
    ...boundsProblems('memoryGiB', request.memoryGiB, 'GiB'),
    // gp3 volumes hold 1 GiB to 64 TiB (EBS user guide); the image of Amazon Linux 2023 needs 8.
    ...(diskGiB === undefined || (Number.isInteger(diskGiB) && diskGiB >= 8 && diskGiB <= 65_536)
      ? []
      : [`disk of ${diskGiB} GiB is not possible; allowed are whole GiB from 8 to 65536`]),
    ...(timeoutS === undefined || timeoutS > 0 ? [] : [`timeout of ${timeoutS} s must be greater than zero`]),
    ...(idleTimeoutS === undefined || idleTimeoutS > 0 ? [] : [`idle timeout of ${idleTimeoutS} s must be greater than zero`]),
    ...(lifetimeS === undefined || (lifetimeS >= 60 && lifetimeS <= 30 * 86_400)
      ? []
      : [`lifetime of ${lifetimeS} s is not possible; allowed are 60 s to 30 days`]),
    ...(retries === undefined || (Number.isInteger(retries) && retries >= 0 && retries <= MOST_RETRIES)
      ? []
      : [`${retries} retries are not possible; allowed are whole numbers from 0 to ${MOST_RETRIES}`]),
  ];
}

const SPOT_POLICIES: readonly string[] = SpotPolicySchema.options;

function hardwareProblems({ spotPolicy, families = [], vmTypes = [] }: RunRequest): string[] {
  const wrong = families.filter((family) => !/^[a-z][a-z0-9-]*$/.test(family));
  return [
    ...(spotPolicy === undefined || SPOT_POLICIES.includes(spotPolicy)
      ? []
      : [`spot policy '${spotPolicy}' is not known; allowed are ${SPOT_POLICIES.join(', ')}`]),
    ...wrong.map((family) => `family '${family}' is not a family of VM types; allowed are forms like m7i, or c for all that begin with it`),
    ...(families.length > 0 && vmTypes.length > 0 ? ['VM types and families exclude each other: types by name need no family'] : []),
  ];
}

function boundsProblems(what: string, bounds: Bounds | undefined, unit: string): string[] {
  if (!bounds) return [];
  const { min = 0, max = Infinity } = bounds;
  if (min < 0 || max <= 0) return [`${what} must be greater than zero`];
  return min <= max ? [] : [`${what} from ${min} to ${max} ${unit} is empty: the lower bound is above the upper`];
}

function tagProblems({ tags = {} }: RunRequest): string[] {
  const reserved = Object.keys(tags).filter((key) => key.toLowerCase().startsWith('aws:') || key.startsWith(TAG_PREFIX) || key === 'Name');
  const long = Object.entries(tags).filter(([key, value]) => key.length === 0 || key.length > 128 || value.length > 256);
  return [
    ...reserved.map((key) => `tag '${key}' is reserved; allowed are keys that are not Name and do not start with aws: or ${TAG_PREFIX}`),
    ...long.map(
      ([key]) => `tag '${key.slice(0, 40)}' is too long or empty; allowed are keys of 1 to 128 and values of up to 256 characters`,
    ),
    ...(Object.keys(tags).length > MOST_TAGS ? [`${Object.keys(tags).length} tags are too many; allowed are ${MOST_TAGS}`] : []),
  ];
}

function variableProblems({ variables = {} }: RunRequest): string[] {
  return Object.keys(variables)
    .filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    .map((name) => `'${name}' is not a name of an environment variable; allowed are letters, digits and '_'`);
}
