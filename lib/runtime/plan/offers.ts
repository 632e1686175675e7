import type { Offer } from '../../contract';
import { fittingTypes, zonesFor } from './fit';
import type { Fitting } from './fit';
import type { Hardware } from './hardware';
import type { MarketView } from './market';
import type { VmType } from './vm-type';

/** Types to fall back on when the best has no capacity anywhere. */
const TYPES_IN_PLAN = 3;
/** Spot capacity comes and goes by type and zone: one more type is worth its second. */
const SPOT_TYPES_IN_PLAN = 4;

/**
 * The offers to try, best first. On demand: by price, each type in every zone before the next type. Spot: type and zone
 * by spot price. With fallback: spot first, then on demand. What was named by the user keeps its order.
 * @throws E_HARDWARE when nothing fits
 */
export function planOffers(hardware: Hardware, market: MarketView): Offer[] {
  const fitting = fittingTypes(hardware, market);
  const { spotPolicy } = hardware;
  const spot = spotPolicy === 'on-demand' ? [] : spotOffers(fitting, hardware, market);
  const onDemand = spotPolicy === 'spot' ? [] : onDemandOffers(fitting, hardware, market, spot.length > 0);
  return [...spot, ...onDemand];
}

function onDemandOffers(fitting: readonly Fitting[], hardware: Hardware, market: MarketView, isFallback: boolean): Offer[] {
  const types = hardware.vmTypes ? fitting : fitting.slice(0, TYPES_IN_PLAN);
  return types.flatMap(({ type }, i) =>
    (zonesFor(type, hardware) ?? []).map((zone, j) => ({
      ...offerOf(type, zone, hardware),
      purchase: 'on-demand',
      usdPerHour: type.usdPerHour,
      priceSource: market.priceSource,
      priceEstimated: type.estimated,
      reason: isFallback && i + j === 0 ? 'on demand, should spot have no capacity' : orderReason(hardware, i, j),
    })),
  );
}

function orderReason(hardware: Hardware, type: number, zone: number): string {
  if (zone > 0) return 'the same in another zone';
  if (hardware.vmTypes) return type === 0 ? 'named first' : 'named next';
  return type === 0 ? `cheapest that fits${hardware.families ? ' of the families named' : ''}` : 'next in price';
}

interface Pool {
  readonly type: VmType;
  readonly rank: number;
  readonly zone: string | undefined;
  /** Undefined when not known. */
  readonly usdPerHour: number | undefined;
}

function spotOffers(fitting: readonly Fitting[], hardware: Hardware, market: MarketView): Offer[] {
  const pools = fitting.flatMap(({ type, rank }): Pool[] =>
    (zonesFor(type, hardware) ?? []).map((zone) => ({ type, rank, zone, usdPerHour: market.spotUsdPerHour(type.name, zone) })),
  );
  const sorted = pools.map((pool, i) => ({ pool, i })).sort((a, b) => comparePools(a.pool, b.pool) || a.i - b.i);
  const types = [...new Set(sorted.map(({ pool }) => pool.type))].slice(0, hardware.vmTypes ? Infinity : SPOT_TYPES_IN_PLAN);
  return sorted.filter(({ pool }) => types.includes(pool.type)).map(({ pool }, i) => spotOffer(pool, hardware, market, i));
}

/** What has no known price comes last. */
function comparePools(a: Pool, b: Pool): number {
  const [priceA, priceB] = [a.usdPerHour ?? a.type.usdPerHour * UNKNOWN, b.usdPerHour ?? b.type.usdPerHour * UNKNOWN];
  return a.rank - b.rank || priceA - priceB;
}

const UNKNOWN = 1e6;

/** A spot price moves until the VM ends, so it is always an estimate here; without one, the on-demand price is its limit. */
function spotOffer({ type, zone, usdPerHour }: Pool, hardware: Hardware, market: MarketView, place: number): Offer {
  const known = usdPerHour !== undefined;
  return {
    ...offerOf(type, zone, hardware),
    purchase: 'spot',
    usdPerHour: usdPerHour ?? type.usdPerHour,
    priceSource: known ? (market.spotSource ?? '') : `at most the on-demand price, ${market.priceSource}`,
    priceEstimated: true,
    reason: known ? (place === 0 ? 'lowest spot price' : 'next in spot price') : 'spot price not known',
  };
}

type Where = Pick<Offer, 'vmType' | 'zone' | 'arch' | 'vcpu' | 'memoryGiB' | 'publicIpv4'>;

function offerOf(type: VmType, zone: string | undefined, { privateZones }: Hardware): Where {
  const { name, arch, vcpu, memoryGiB } = type;
  const isPrivate = zone !== undefined && privateZones?.includes(zone);
  return { vmType: name, ...(zone ? { zone } : {}), arch, vcpu, memoryGiB, ...(isPrivate ? { publicIpv4: false } : {}) };
}
