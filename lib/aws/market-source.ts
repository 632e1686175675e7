import { findRawcloudError, mapBounded, quotaOf } from '../contract';
import type { FailureClass, MarketSource } from '../contract';
import type { AwsContext } from './clients';
import { describeTypes, describeZones, typeRow } from './instance-types';
import { gp3Price, onDemandPrices } from './pricing';
import { ec2Quota, ec2Quotas } from './service-quotas';
import { currentSpotPrices, spotPriceHistory } from './spot-prices';
import { vcpusInUse } from './vcpus-in-use';

/** What AWS sells in the context's region, from EC2, the price list and Service Quotas. */
export function createMarketSource(context: AwsContext): MarketSource {
  const { region } = context;
  return {
    async list(signal) {
      const [types, zones, prices, gp3UsdPerGiBMonth] = await Promise.all([
        describeTypes(context, signal),
        zonesIfTold(context, signal),
        onDemandPrices(context, signal),
        gp3Price(context, signal),
      ]);
      const rows = types.map((info) => {
        const [name, usd] = [info.InstanceType ?? '', prices.get(info.InstanceType ?? '')];
        return usd === undefined ? undefined : typeRow(info, usd, zones && (zones.get(name) ?? []), region);
      });
      return { types: rows.filter((row) => row !== undefined), ...(gp3UsdPerGiBMonth === undefined ? {} : { gp3UsdPerGiBMonth }) };
    },
    spotPrices: (vmTypes, signal) => currentSpotPrices(context, vmTypes, signal),
    spotHistory: (vmType, zone, fromMs, toMs, signal) => spotPriceHistory(context, { vmType, zone }, [fromMs, toMs], signal),
    quotas: (signal) => ec2Quotas(context, signal),
    async quotaState({ vmType, purchase }, signal) {
      const quota = quotaOf(vmType, purchase);
      if (!quota) return undefined;
      const asks = [() => ec2Quota(context, quota.code, signal), () => vcpusInUse(context, quota.code, signal)];
      const [value, used] = await mapBounded(asks, 2, (ask) => ask());
      return { quota, value: value!, used };
    },
  };
}

const REFUSED: readonly unknown[] = ['permission', 'request'] satisfies FailureClass[];

/** Prices are worth having without zones: a launch in a zone without the type is refused and goes on to the next. */
async function zonesIfTold(context: AwsContext, signal?: AbortSignal): Promise<Map<string, string[]> | undefined> {
  try {
    return await describeZones(context, signal);
  } catch (error) {
    if (REFUSED.includes(findRawcloudError(error)?.data['class'])) return undefined;
    throw error;
  }
}
