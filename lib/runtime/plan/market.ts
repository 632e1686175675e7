import { isAllowedType } from '../../contract';
import type { Limits, Market, TypeRow } from '../../contract';
import { builtInTypes, CATALOG_DATE } from './catalog';
import type { VmType } from './vm-type';

/** What can be bought in a region, as far as it is known: AWS's own list, else the built-in table. */
export interface MarketView {
  readonly region: string;
  readonly types: readonly VmType[];
  /** Where on-demand prices are from, as `AWS price list of 2026-11-23`. */
  readonly priceSource: string;
  /** Where spot prices are from; undefined when none are known. */
  readonly spotSource: string | undefined;
  /** Dollars an hour, undefined when not known. */
  spotUsdPerHour(vmType: string, zone: string | undefined): number | undefined;
  /** vCPUs by quota code; undefined when not known. */
  quotaVcpus(code: string): number | undefined;
  /** What the region takes for disks; undefined when not known. */
  readonly gp3UsdPerGiBMonth: number | undefined;
  /** What the owner of the scaffolding allows; types that are not are not among the {@link types}. @default - everything */
  readonly limits?: Limits;
}

/**
 * The part of the market that the scaffolding allows. Where it allows no ordinary type, those that it does allow are taken
 * without being named.
 */
export function withinLimits(market: MarketView, limits: Limits | undefined): MarketView {
  if (!limits) return market;
  const types = market.types.filter(({ name }) => isAllowedType(limits, name));
  return { ...market, limits, types };
}

/** @param market as read from the bucket; undefined when there is none */
export function viewMarket(region: string, market: Market | undefined): MarketView {
  const { list, spot, quotas } = market ?? {};
  // A list that somebody asked for before the table was made knows less than the table.
  const live = list && list.at > Date.parse(CATALOG_DATE) ? list : undefined;
  return {
    region,
    types: live ? live.types.map((row) => typeOf(row, region)) : builtInTypes(region),
    priceSource: live ? `AWS price list of ${day(live.at)}` : `built-in price table of ${CATALOG_DATE}`,
    spotSource: spot && `spot price of ${day(spot.at)}`,
    spotUsdPerHour: (vmType, zone) => spotPrice(spot?.prices[vmType], zone),
    quotaVcpus: (code) => quotas?.values[code],
    gp3UsdPerGiBMonth: live?.gp3UsdPerGiBMonth,
  };
}

function typeOf([name, arch, vcpu, memoryGiB, usdPerHour, traits, zones]: TypeRow, region: string): VmType {
  return {
    name,
    arch: arch === 'a' ? 'arm64' : 'x86_64',
    vcpu,
    memoryGiB,
    usdPerHour,
    estimated: false,
    steady: !/[bfgm]/.test(traits),
    ...(zones === '' ? {} : { zones: [...zones].map((letter) => `${region}${letter}`) }),
  };
}

/** In any zone: the lowest of those known. */
function spotPrice(prices: Readonly<Record<string, number>> | undefined, zone: string | undefined): number | undefined {
  if (prices === undefined) return undefined;
  if (zone !== undefined) return prices[zone];
  const known = Object.values(prices);
  return known.length > 0 ? Math.min(...known) : undefined;
}

/** `2026-11-23`, UTC. */
function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
