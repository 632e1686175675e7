import type { Offer } from '../../contract';
import { anyFits, zonesFor } from './fit';
import { within } from './hardware';
import type { Hardware } from './hardware';
import type { MarketView } from './market';
import { planOffers } from './offers';
import { generationOf, isOrdinary } from './vm-type';

/** Another way to run the same, with what it takes to ask for it. */
export interface Alternative {
  readonly kind: 'cheaper' | 'faster';
  readonly offer: Offer;
  /** What is gained, and what to know about it. */
  readonly text: string;
  /** Options to add to the command line. */
  readonly options: string;
}

/** How many are shown. */
const SHOWN = 3;
/** A gain of less is none. */
const LEAST_SAVING = 0.05;

/**
 * Up to three other ways, two of them cheaper where there are any: spot, the other architecture, less of what was not asked
 * for; twice the vCPUs, a newer generation. Pure; none of them is launched by itself.
 */
export function alternatives(hardware: Hardware, chosen: Offer, market: MarketView): Alternative[] {
  const cheaper = [viaSpot(hardware, chosen, market), otherArch(hardware, chosen, market), smaller(hardware, chosen, market)];
  const faster = [newer(hardware, chosen, market), larger(hardware, chosen, market)];
  const found = (all: readonly (Alternative | undefined)[]): Alternative[] => all.filter((a) => a !== undefined);
  const [less, more] = [found(cheaper), found(faster)];
  const first = less.slice(0, more.length > 0 ? SHOWN - 1 : SHOWN);
  return [...first, ...more].slice(0, SHOWN);
}

function viaSpot(hardware: Hardware, chosen: Offer, market: MarketView): Alternative | undefined {
  const policy = (['spot_with_fallback', 'spot'] as const).find((p) => market.limits?.spotPolicies?.includes(p) ?? true);
  if (hardware.spotPolicy !== 'on-demand' || market.spotSource === undefined || !policy) return undefined;
  const offer = best({ ...hardware, spotPolicy: 'spot' }, market);
  if (!offer || !saves(offer, chosen)) return undefined;
  return { kind: 'cheaper', offer, text: 'EC2 may take it back after two minutes’ notice', options: `--spot-policy ${policy}` };
}

function otherArch(hardware: Hardware, chosen: Offer, market: MarketView): Alternative | undefined {
  if (hardware.vmTypes) return undefined;
  const arch = hardware.arch === 'arm64' ? 'x86_64' : 'arm64';
  const offer = best({ ...hardware, arch }, market);
  if (!offer || !saves(offer, chosen)) return undefined;
  return { kind: 'cheaper', offer, text: `for what also runs on ${arch}`, options: `--arch ${arch}` };
}

/** Half the memory in each vCPU, or half of both. */
function smaller(hardware: Hardware, chosen: Offer, market: MarketView): Alternative | undefined {
  const memoryGiB = chosen.memoryGiB / 2;
  const asked = { ...withoutNames(hardware), cpu: { min: Math.min(chosen.vcpu, hardware.cpu.min ?? 1) }, memoryGiB: { min: memoryGiB } };
  const offer = best(asked, market);
  if (!offer || !saves(offer, chosen)) return undefined;
  return { kind: 'cheaper', offer, text: `${offer.memoryGiB} GiB of memory`, options: `--memory ${memoryGiB}GiB` };
}

function larger(hardware: Hardware, chosen: Offer, market: MarketView): Alternative | undefined {
  const vcpu = chosen.vcpu * 2;
  const offer = best({ ...withoutNames(hardware), cpu: { min: vcpu }, memoryGiB: { min: hardware.memoryGiB.min ?? 0 } }, market);
  if (!offer) return undefined;
  return { kind: 'faster', offer, text: `${offer.vcpu} vCPU, for what runs in parallel`, options: `--cpu ${vcpu}` };
}

/** The cheapest type of a newer generation with the same vCPUs. */
function newer(hardware: Hardware, chosen: Offer, market: MarketView): Alternative | undefined {
  const types = market.types
    .filter((t) => isOrdinary(t) && t.arch === chosen.arch && generationOf(t.name) > generationOf(chosen.vmType))
    .filter((t) => t.vcpu === chosen.vcpu && within(t.memoryGiB, hardware.memoryGiB) && zonesFor(t, hardware))
    .sort((a, b) => a.usdPerHour - b.usdPerHour || (a.name < b.name ? -1 : 1));
  const [type] = types;
  if (!type) return undefined;
  const offer = best({ ...hardware, vmTypes: [type.name] }, market);
  return offer && { kind: 'faster', offer, text: `generation ${generationOf(type.name)}: faster cores`, options: `--vm-type ${type.name}` };
}

function withoutNames({ vmTypes: _types, families: _families, ...rest }: Hardware): Hardware {
  return rest;
}

/** The first offer, if anything fits. */
function best(hardware: Hardware, market: MarketView): Offer | undefined {
  return hardware.vmTypes !== undefined || anyFits(hardware, market) ? planOffers(hardware, market)[0] : undefined;
}

function saves(offer: Offer, chosen: Offer): boolean {
  return offer.usdPerHour < chosen.usdPerHour * (1 - LEAST_SAVING);
}
