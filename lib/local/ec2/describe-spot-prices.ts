import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { invalidParameter } from './errors';
import { applyFilters } from './filters';
import { INSTANCE_TYPES } from './instance-types';
import { zonesWith } from './network';
import { page } from './paging';
import { text, texts } from './query';
import { set, timestamp } from './render';
import type { SpotPrice } from './spot-market';

/** How far back prices go. Source: EC2 API reference, DescribeSpotPriceHistory: the past 90 days. */
const PAST_MS = 90 * 24 * 3_600_000;

const LINUX = ['Linux/UNIX', 'Linux/UNIX (Amazon VPC)'];

/** Days of one type in one zone that one call looks at: an unfiltered call sees fewer days than 90. */
const MAX_SERIES_DAYS = 20_000;

/** Newest first. The prices in effect at StartTime are among them, whenever they began. */
export function describeSpotPriceHistory({ state, params }: Ec2Call): XmlFields {
  const [zones, types] = [zonesOf(state.network.zones, params), typesOf(params)];
  const products = texts(params, 'ProductDescription');
  const toMs = readTime(params, 'EndTime') ?? state.now();
  const fromMs = Math.max(readTime(params, 'StartTime') ?? 0, oldestStart(state.now(), zones.length * types.length));
  const isLinux = products.length === 0 || products.some((p) => LINUX.includes(p));
  const pools = types.flatMap((type) => zonesWith(state.network, type).flatMap((zone) => (zones.includes(zone) ? [{ type, zone }] : [])));
  const all = isLinux ? pools.flatMap(({ type, zone }) => state.market.history(type, zone, fromMs, toMs)) : [];
  const fitting = applyFilters(all, params, {
    values: {
      'availability-zone': (p) => p.zone,
      'instance-type': (p) => p.vmType,
      'product-description': () => LINUX,
      'spot-price': (p) => usd(p),
      timestamp: (p) => timestamp(p.since),
    },
  });
  const { items, nextToken } = page(fitting, params, newestFirst, { min: 1, max: 1000, otherwise: 1000 });
  return { spotPriceHistorySet: set(items.map(render)), nextToken: nextToken ?? '' };
}

function oldestStart(now: number, series: number): number {
  const days = Math.max(2, Math.floor(MAX_SERIES_DAYS / Math.max(1, series)));
  return now - Math.min(PAST_MS, days * 24 * 3_600_000);
}

function newestFirst({ since, vmType, zone }: SpotPrice): string {
  return `${String(9e14 - since).padStart(15, '0')} ${vmType} ${zone}`;
}

function render(price: SpotPrice): XmlFields {
  return {
    instanceType: price.vmType,
    productDescription: 'Linux/UNIX',
    spotPrice: usd(price),
    timestamp: timestamp(price.since),
    availabilityZone: price.zone,
  };
}

function usd({ usdPerHour }: SpotPrice): string {
  return usdPerHour.toFixed(6);
}

function zonesOf(known: readonly string[], params: Ec2Call['params']): readonly string[] {
  const zone = text(params, 'AvailabilityZone');
  if (zone === undefined) return known;
  if (!known.includes(zone)) throw invalidParameter(`Invalid availability zone: [${zone}]`);
  return [zone];
}

function typesOf(params: Ec2Call['params']): string[] {
  const asked = texts(params, 'InstanceType');
  return asked.length > 0 ? asked.filter((name) => INSTANCE_TYPES.has(name)) : [...INSTANCE_TYPES.keys()];
}

function readTime(params: Ec2Call['params'], name: string): number | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  const ms = Date.parse(value);
  if (Number.isNaN(ms))
    throw invalidParameter(`Value (${value}) for parameter ${name} is invalid. Expecting a time as 2026-11-23T12:00:00Z.`);
  return ms;
}
