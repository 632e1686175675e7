import { CATALOG, PRICED_REGIONS } from './plan/catalog';

/** Names for completion and the like, from the built-in table: nothing is asked of AWS. */
export const VM_TYPE_NAMES: readonly string[] = CATALOG.map(({ name }) => name);

/** As `m7i`. */
export const FAMILY_NAMES: readonly string[] = [...new Set(VM_TYPE_NAMES.map((name) => name.split('.')[0]!))];

/** Regions with known prices; others work, too. */
export const REGION_NAMES: readonly string[] = PRICED_REGIONS;
