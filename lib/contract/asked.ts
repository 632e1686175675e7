import type { Bounds } from './spec';
import { SpotPolicySchema } from './spec';
import { MOST_RETRIES } from './retries';
import { problemsOfTags } from './vm-tags';

/** Hardware and limits as somebody asked for them, in a run or in a construct. */
export interface Asked {
  readonly vmTypes?: readonly string[];
  readonly families?: readonly string[];
  readonly cpu?: Bounds;
  readonly memoryGiB?: Bounds;
  readonly diskGiB?: number;
  readonly image?: string;
  readonly spotPolicy?: string;
  readonly timeoutS?: number;
  readonly idleTimeoutS?: number;
  readonly lifetimeS?: number;
  readonly retries?: number;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Everything that is wrong with it, in words; empty when it can be had. */
export function problemsOfAsked(asked: Asked): string[] {
  return [...numberProblems(asked), ...hardwareProblems(asked), ...problemsOfTags(asked.tags ?? {})];
}

function numberProblems(asked: Asked): string[] {
  const { diskGiB, timeoutS, idleTimeoutS, lifetimeS, retries } = asked;
  return [
    ...boundsProblems('cpu', asked.cpu, 'vCPU'),
    ...boundsProblems('memoryGiB', asked.memoryGiB, 'GiB'),
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

function hardwareProblems({ spotPolicy, families = [], vmTypes = [], image }: Asked): string[] {
  const wrong = families.filter((family) => !/^[a-z][a-z0-9-]*$/.test(family));
  return [
    ...(spotPolicy === undefined || SPOT_POLICIES.includes(spotPolicy)
      ? []
      : [`spot policy '${spotPolicy}' is not known; allowed are ${SPOT_POLICIES.join(', ')}`]),
    ...wrong.map((family) => `family '${family}' is not a family of VM types; allowed are forms like m7i, or c for all that begin with it`),
    ...(image === undefined || /^ami-[0-9a-f]{8,17}$/.test(image) ? [] : [`image '${image}' is not an AMI id like ami-0123456789abcdef0`]),
    ...(families.length > 0 && vmTypes.length > 0 ? ['VM types and families exclude each other: types by name need no family'] : []),
  ];
}

function boundsProblems(what: string, bounds: Bounds | undefined, unit: string): string[] {
  if (!bounds) return [];
  const { min = 0, max = Infinity } = bounds;
  if (min < 0 || max <= 0) return [`${what} must be greater than zero`];
  return min <= max ? [] : [`${what} from ${min} to ${max} ${unit} is empty: the lower bound is above the upper`];
}
