import * as v from 'valibot';
import { RawcloudError } from './errors';
import { SpotPolicySchema } from './spec';
import type { SpotPolicy } from './spec';
import { formatDuration } from './units';

/** What the owner of the scaffolding lets jobs have. What is absent is not limited. */
export const LimitsSchema = v.object({
  /** Longest lifetime of a job, seconds. */
  lifetimeS: v.optional(v.number()),
  /** VMs that are on at once, of all jobs of the scaffolding. */
  vms: v.optional(v.number()),
  /** Patterns of VM types, as IAM's StringLike has them: `m7i.*`. */
  vmTypes: v.optional(v.array(v.string())),
  spotPolicies: v.optional(v.array(SpotPolicySchema)),
});
export type Limits = v.InferOutput<typeof LimitsSchema>;

/** Code of a launch that was refused because as many VMs are on as the scaffolding allows. */
export const MAX_VMS = 'MaxVms';

const DAY_S = 86_400;

/** Whether one of the patterns fits: `*` for any text, `?` for one character. */
export function isAllowedType({ vmTypes }: Limits, vmType: string): boolean {
  return vmTypes === undefined || vmTypes.some((pattern) => patternOf(pattern).test(vmType));
}

function patternOf(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}

/** How VMs may be bought, as `ec2:InstanceMarketType` has it; undefined when both ways are allowed. */
export function allowedMarkets({ spotPolicies }: Limits): readonly string[] | undefined {
  if (spotPolicies === undefined || spotPolicies.includes('spot_with_fallback')) return undefined;
  const markets = (['on-demand', 'spot'] as const).filter((market) => spotPolicies.includes(market));
  return markets.length === 2 ? undefined : markets;
}

/** What a job has that asks for nothing: a lifetime of 24 h and VMs on demand, or as near as is allowed. */
export function defaultsWithin({ lifetimeS = DAY_S, spotPolicies }: Limits): {
  readonly lifetimeS: number;
  readonly spotPolicy: SpotPolicy;
} {
  const spotPolicy = spotPolicies === undefined || spotPolicies.includes('on-demand') ? 'on-demand' : spotPolicies[0];
  return { lifetimeS: Math.min(DAY_S, lifetimeS), spotPolicy: spotPolicy ?? 'on-demand' };
}

/** What a job asks for that may be limited. */
export interface Limited {
  readonly lifetimeS: number;
  readonly spotPolicy: SpotPolicy;
  readonly vmTypes?: readonly string[] | undefined;
}

/** @throws E_NOT_ALLOWED with everything that the scaffolding does not allow, and what it allows */
export function checkWithinLimits(
  { name, limits = {} }: { readonly name: string; readonly limits?: Limits | undefined },
  asked: Limited,
): void {
  const { lifetimeS, spotPolicies, vmTypes } = limits;
  const others = (asked.vmTypes ?? []).filter((vmType) => !isAllowedType(limits, vmType));
  const problems = [
    ...(lifetimeS === undefined || asked.lifetimeS <= lifetimeS
      ? []
      : [`a lifetime of ${formatDuration(asked.lifetimeS)} is too long; allowed are up to ${formatDuration(lifetimeS)}`]),
    ...(spotPolicies === undefined || spotPolicies.includes(asked.spotPolicy)
      ? []
      : [`spot policy ${asked.spotPolicy} is not allowed; allowed ${spotPolicies.length === 1 ? 'is' : 'are'} ${spotPolicies.join(', ')}`]),
    ...(others.length === 0 ? [] : [`VM type ${others.join(', ')} is not allowed; allowed are ${(vmTypes ?? []).join(', ')}`]),
  ];
  if (problems.length === 0) return;
  throw new RawcloudError('E_NOT_ALLOWED', `scaffolding '${name}' does not allow this: ${problems.join('; ')}`, {
    remedy: 'Ask for what is allowed, or have the owner of the scaffolding change the limit (props of RawCloud).',
    data: { problems },
  });
}

/** Everything that is wrong with limits themselves, in words. */
export function problemsOfLimits({ lifetimeS, vms, vmTypes, spotPolicies }: Limits): string[] {
  return [
    ...(lifetimeS === undefined || (lifetimeS >= 60 && lifetimeS <= 30 * DAY_S)
      ? []
      : [`maxLifetime of ${lifetimeS} s is not possible; allowed are 60 s to 30 days`]),
    ...(vms === undefined || (Number.isInteger(vms) && vms >= 1)
      ? []
      : [`maxVms of ${vms} is not possible; allowed are whole numbers from 1`]),
    ...(vmTypes?.length === 0 ? ['allowedVmTypes is empty, so no VM could be launched; allowed are patterns like m7i.*'] : []),
    ...(vmTypes ?? [])
      .filter((pattern) => !/^[a-z0-9*?][a-z0-9*?.-]*$/.test(pattern))
      .map((pattern) => `'${pattern}' is not a pattern of VM types; allowed are forms like m7i.large, m7i.* and c?i.*`),
    ...(spotPolicies?.length === 0 ? ['allowedSpotPolicies is empty, so no VM could be launched; name at least one'] : []),
  ];
}
