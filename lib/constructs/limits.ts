import type { Duration } from 'aws-cdk-lib';
import { problemsOfLimits } from '../contract';
import type { Limits } from '../contract';
import type { SpotPolicy } from './choices';
import { isLate } from './late';

/** The props that limit jobs. */
export interface LimitProps {
  readonly maxLifetime?: Duration;
  readonly maxVms?: number;
  readonly allowedVmTypes?: string[];
  readonly allowedSpotPolicies?: SpotPolicy[];
}

/** As the scaffolding's parameter has them; undefined when there are none. @throws with every problem found */
export function limitsOf({ maxLifetime, maxVms, allowedVmTypes, allowedSpotPolicies }: LimitProps): Limits | undefined {
  const late = Object.entries({ maxLifetime, maxVms, allowedVmTypes, allowedSpotPolicies }).filter(([, value]) => isLate(value));
  if (late.length > 0) {
    throw new Error(`rawcloud: ${late.map(([name]) => `'${name}'`).join(', ')} must be known before the deployment; give plain values`);
  }
  const limits: Limits = {
    ...(maxLifetime ? { lifetimeS: maxLifetime.toSeconds() } : {}),
    ...(maxVms === undefined ? {} : { vms: maxVms }),
    ...(allowedVmTypes ? { vmTypes: allowedVmTypes } : {}),
    ...(allowedSpotPolicies ? { spotPolicies: allowedSpotPolicies } : {}),
  };
  const problems = problemsOfLimits(limits);
  if (problems.length > 0) throw new Error(`rawcloud: ${problems.join('; ')}`);
  return Object.keys(limits).length > 0 ? limits : undefined;
}
