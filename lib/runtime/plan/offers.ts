import { RawcloudError } from '../../contract';
import type { Arch, Bounds, Offer } from '../../contract';
import { CATALOG, CATALOG_DATE, priceOf } from './catalog';
import type { VmType } from './catalog';

/** Hardware as asked for, defaults filled in. */
export interface Hardware {
  readonly vmTypes?: readonly string[];
  readonly cpu: Bounds;
  readonly memoryGiB: Bounds;
  readonly arch: Arch;
  readonly region: string;
  /** Zones VMs may be in, in the order to try. */
  readonly zones: readonly string[];
}

/** Types to fall back on when the best has no capacity anywhere. */
const TYPES_IN_PLAN = 3;

/**
 * The offers to try, best first: by price, each type in every zone before the next type.
 * Types asked for by name keep their order. Burstable types come only by name.
 * @throws E_HARDWARE when nothing fits
 */
export function planOffers(hardware: Hardware): Offer[] {
  const types = hardware.vmTypes ? hardware.vmTypes.map((name) => named(name, hardware.arch)) : fitting(hardware);
  const zones: (string | undefined)[] = hardware.zones.length > 0 ? [...hardware.zones] : [undefined];
  return types.flatMap((type) => zones.map((zone) => offer(type, zone, hardware.region)));
}

function offer(type: VmType, zone: string | undefined, region: string): Offer {
  const { usdPerHour, estimated } = priceOf(type, region);
  return {
    vmType: type.name,
    ...(zone ? { zone } : {}),
    purchase: 'on-demand',
    arch: type.arch,
    vcpu: type.vcpu,
    memoryGiB: type.memoryGiB,
    usdPerHour,
    priceSource: `built-in price table of ${CATALOG_DATE}`,
    priceEstimated: estimated,
  };
}

function fitting(hardware: Hardware): VmType[] {
  const sameArch = CATALOG.filter((t) => t.arch === hardware.arch && !t.burstable);
  const fit = sameArch.filter((t) => within(t.vcpu, hardware.cpu) && within(t.memoryGiB, hardware.memoryGiB));
  if (fit.length === 0) throw nothingFits(hardware, sameArch);
  return fit.sort((a, b) => a.usdPerHour - b.usdPerHour || (a.name < b.name ? -1 : 1)).slice(0, TYPES_IN_PLAN);
}

function within(value: number, bounds: Bounds): boolean {
  return value >= (bounds.min ?? 0) && value <= (bounds.max ?? Infinity);
}

function nothingFits(hardware: Hardware, sameArch: readonly VmType[]): RawcloudError {
  const most = sameArch.reduce((a, b) => (b.vcpu * 1e6 + b.memoryGiB > a.vcpu * 1e6 + a.memoryGiB ? b : a));
  const mostMemory = sameArch.reduce((a, b) => (b.memoryGiB > a.memoryGiB ? b : a));
  return new RawcloudError(
    'E_HARDWARE',
    `no ${hardware.arch} VM type has ${words(hardware.cpu, 'vCPU')} and ${words(hardware.memoryGiB, 'GiB memory')}; ` +
      `the largest known are ${most.name} with ${most.vcpu} vCPU and ${mostMemory.name} with ${mostMemory.memoryGiB} GiB`,
    { remedy: 'Ask for less with --cpu and --memory, widen the range, or name a type with --vm-type.' },
  );
}

function words(bounds: Bounds, unit: string): string {
  if (bounds.max === undefined) return `at least ${bounds.min ?? 0} ${unit}`;
  return bounds.min === bounds.max ? `${bounds.max} ${unit}` : `${bounds.min ?? 0} to ${bounds.max} ${unit}`;
}

function named(name: string, arch: Arch): VmType {
  const type = typeByName(name);
  if (type.arch !== arch) {
    throw new RawcloudError('E_HARDWARE', `VM type ${name} is ${type.arch}, but the job is for ${arch}`, {
      remedy: `Leave out --arch, or take a type of that architecture.`,
    });
  }
  return type;
}

/** @throws E_HARDWARE naming the known types that are nearest */
export function typeByName(name: string): VmType {
  const type = CATALOG.find((t) => t.name === name);
  if (type) return type;
  const family = name.split('.')[0] ?? '';
  const near = CATALOG.filter((t) => t.name.startsWith(`${family}.`)).map((t) => t.name);
  const families = [...new Set(CATALOG.map((t) => t.name.split('.')[0]))].join(', ');
  throw new RawcloudError(
    'E_HARDWARE',
    `VM type '${name}' is not in the built-in price table; ${near.length > 0 ? `of its family there are ${near.join(', ')}` : `known families are ${families}`}`,
    { remedy: 'Take one of these: a VM whose price is not known is not launched.' },
  );
}
