import { mapBounded, scaffoldParameterName, vmThing } from '../contract';
import type { LeftoverKind, OtherRegions, Thing } from '../contract';
import type { AwsContext } from './clients';
import { createEc2Compute } from './ec2-compute';
import { createEc2Remains } from './ec2-remains';
import { readParameter } from './parameters';
import { accountRegions } from './regions';

/** Kinds listed at once in one region: most of the time goes into its first connection. */
const KINDS_AT_ONCE = 3;

/** The account's other regions, each through clients of its own that are closed after the look. */
export function createOtherRegions(context: AwsContext): OtherRegions {
  return {
    list: async ({ signal } = {}) => (await accountRegions(context, signal)).filter((region) => region !== context.region),
    async tagged(region, scaffold, kinds, { signal } = {}) {
      const there = await context.inRegion(region);
      try {
        const things = (
          await mapBounded(kinds, KINDS_AT_ONCE, (kind, _i, stop) => listed(there, kind, scaffold, stop), { ...(signal ? { signal } : {}) })
        ).flat();
        // Asked only where there is something, and after it was seen: what a scaffolding launched is never taken for nobody's.
        if (things.length === 0) return [];
        return (await readParameter(there, scaffoldParameterName(scaffold), signal)) === undefined ? things : [];
      } finally {
        there.close();
      }
    },
  };
}

async function listed(there: AwsContext, kind: LeftoverKind, scaffold: string, signal: AbortSignal): Promise<Thing[]> {
  if (kind !== 'vm') return createEc2Remains(there).list(kind, scaffold, { signal });
  const vms = await createEc2Compute(there).describe({ scaffold }, { signal });
  return vms.filter(({ state }) => state !== 'terminated').map(vmThing);
}
