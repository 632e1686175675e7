import { findRawcloudError } from '../../contract';
import type { Tick } from '../../contract';
import { Driver } from '../drive/driver';
import type { DriverDeps } from '../drive/deps';

/** A tick that was taken and never recorded counts as going for this long: its launcher may be at it, or be asked again. */
const RECORDED_WITHIN_MS = 15 * 60_000;

/** Whether the run that a tick became is not over yet. */
export async function isGoing(deps: DriverDeps, tick: Tick): Promise<boolean> {
  try {
    const driver = new Driver(deps, tick.prefix);
    return (await driver.look(false)).objects.outcome === undefined;
  } catch (error) {
    if (findRawcloudError(error)?.code !== 'E_NO_JOB') throw error;
    return deps.clock.now() - tick.at < RECORDED_WITHIN_MS;
  }
}
