import { RawcloudError } from '../../contract';
import { boundsWords, within } from './hardware';
import type { Hardware } from './hardware';
import type { MarketView } from './market';
import { familyOf, isOfFamily, isOrdinary } from './vm-type';
import type { VmType } from './vm-type';

/** A type that fits, with its place in what was asked for: types or families by name come in the order given. */
export interface Fitting {
  readonly type: VmType;
  readonly rank: number;
}

/**
 * The types that fit: those named, else those of the families named, else ordinary ones, by rank, then price, then name.
 * @throws E_HARDWARE when there is none
 */
export function fittingTypes(hardware: Hardware, market: MarketView): Fitting[] {
  if (hardware.vmTypes) return hardware.vmTypes.map((name, rank) => ({ type: named(name, hardware, market), rank }));
  const candidates = candidatesOf(hardware, market);
  const fit = candidates.filter((t) => fits(t, hardware));
  if (fit.length === 0) throw nothingFits(hardware, candidates, market);
  return fit.map((type) => ({ type, rank: rankOf(type, hardware) })).sort(byRankAndPrice);
}

/** Whether anything fits: then {@link fittingTypes} does not throw for hardware without types by name. */
export function anyFits(hardware: Hardware, market: MarketView): boolean {
  return candidatesOf(hardware, market).some((t) => fits(t, hardware));
}

/** Types that are taken without being named. Where the owner allows only others than ordinary ones, those. */
function candidatesOf(hardware: Hardware, { types, limits }: MarketView): VmType[] {
  const ofArch = types.filter((t) => t.arch === hardware.arch);
  const ranked = ofArch.filter((t) => rankOf(t, hardware) >= 0);
  return limits?.vmTypes && !hardware.families && ranked.length === 0 ? ofArch : ranked;
}

function fits(type: VmType, hardware: Hardware): boolean {
  return within(type.vcpu, hardware.cpu) && within(type.memoryGiB, hardware.memoryGiB) && zonesFor(type, hardware) !== undefined;
}

/** Place in the families asked for; 0 for ordinary types when none were, −1 for what is out of the question. */
function rankOf(type: VmType, { families }: Hardware): number {
  if (families) return families.findIndex((family) => isOfFamily(type.name, family));
  return isOrdinary(type) ? 0 : -1;
}

function byRankAndPrice(a: Fitting, b: Fitting): number {
  return a.rank - b.rank || a.type.usdPerHour - b.type.usdPerHour || (a.type.name < b.type.name ? -1 : 1);
}

/** Zones of the hardware asked for that have the type, in order; undefined when none has. `[undefined]`: EC2 may choose. */
export function zonesFor(type: VmType, { zones }: Hardware): readonly (string | undefined)[] | undefined {
  if (zones.length === 0) return [undefined];
  const have = zones.filter((zone) => type.zones?.includes(zone) ?? true);
  return have.length > 0 ? have : undefined;
}

function nothingFits(hardware: Hardware, candidates: readonly VmType[], { limits }: MarketView): RawcloudError {
  const largest = candidates.reduce<VmType | undefined>(
    (a, b) => (a && a.vcpu * 1e6 + a.memoryGiB >= b.vcpu * 1e6 + b.memoryGiB ? a : b),
    undefined,
  );
  const mostGiB = Math.max(0, ...candidates.map((t) => t.memoryGiB));
  const families = hardware.families ? ` of family ${hardware.families.join(' or ')}` : '';
  const known = largest ? `the largest known are ${largest.name} with ${largest.vcpu} vCPU and types with ${mostGiB} GiB` : 'none is known';
  const allowed = limits?.vmTypes ? `; the scaffolding allows ${limits.vmTypes.join(', ')}` : '';
  return new RawcloudError(
    'E_HARDWARE',
    `no ${hardware.arch} VM type${families} has ${boundsWords(hardware.cpu, 'vCPU')} and ${boundsWords(hardware.memoryGiB, 'GiB memory')}; ${known}${allowed}`,
    { remedy: 'Ask for less with --cpu and --memory, widen the range, or name a type with --vm-type.' },
  );
}

function named(name: string, hardware: Hardware, market: MarketView): VmType {
  const type = market.types.find((t) => t.name === name);
  if (!type) throw unknownType(name, market);
  if (type.arch !== hardware.arch) {
    throw new RawcloudError('E_HARDWARE', `VM type ${name} is ${type.arch}, but the job is for ${hardware.arch}`, {
      remedy: `Leave out --arch, or take a type of that architecture.`,
    });
  }
  if (!zonesFor(type, hardware)) {
    throw new RawcloudError(
      'E_HARDWARE',
      `no zone of the scaffolding (${hardware.zones.join(', ')}) has ${name}; ${type.zones?.join(', ')} would`,
      {
        remedy: 'Take another type.',
      },
    );
  }
  return type;
}

function unknownType(name: string, { types, priceSource, region }: MarketView): RawcloudError {
  const near = types.filter((t) => familyOf(t.name) === familyOf(name)).map((t) => t.name);
  const families = [...new Set(types.map((t) => familyOf(t.name)))].sort().join(', ');
  const hint = near.length > 0 ? `of its family there are ${near.join(', ')}` : `known families are ${families}`;
  return new RawcloudError('E_HARDWARE', `VM type '${name}' has no price in ${region} (${priceSource}); ${hint}`, {
    remedy: 'Take one of these: a VM whose price is not known is not launched.',
  });
}
