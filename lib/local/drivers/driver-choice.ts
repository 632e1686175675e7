import { RawcloudError } from '../../contract';

/** Says what machines shall be; read by who starts the local cloud. */
export const DRIVER_VARIABLE = 'RAWCLOUD_LOCAL_DRIVER';

/** What can be asked for: 'auto' is 'namespace' where this machine allows it, else 'process'. */
export const DRIVER_CHOICES = ['auto', 'namespace', 'process'] as const;
export type DriverChoice = (typeof DRIVER_CHOICES)[number];

/** @throws E_USAGE for anything but a choice; nothing means 'auto' */
export function parseDriverChoice(text: string | undefined): DriverChoice {
  if (text === undefined || text === '') return 'auto';
  const choice = DRIVER_CHOICES.find((known) => known === text);
  if (choice) return choice;
  throw new RawcloudError('E_USAGE', `the local cloud has no driver '${text}'; there are ${DRIVER_CHOICES.join(', ')}`, {
    remedy: 'Correct --driver or RAWCLOUD_LOCAL_DRIVER.',
  });
}

/** What new machines are. */
export interface DriverFacts {
  readonly kind: string;
  /** Why 'auto' came to 'process'. */
  readonly why?: string;
}
