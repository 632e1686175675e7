import type { EventBus, OtherRegions, Remains } from '../../contract';
import type { DeployedJobs } from '../definition/deployed';
import type { Start } from '../definition/queued';
import type { DriverDeps } from '../drive/deps';

/** All that a pass of the reaper needs. */
export interface ReapDeps extends DriverDeps {
  readonly remains: Remains;
  readonly otherRegions: OtherRegions;
  readonly bus: EventBus;
  readonly deployed: Pick<DeployedJobs, 'templates'>;
  /** Runs a deployed job for a tick. */
  readonly start: Start;
}
