import type { Remains } from '../../contract';
import type { DeployedJobs } from '../definition/deployed';
import type { DriverDeps } from '../drive/deps';

/** All that a pass of the reaper needs. */
export interface ReapDeps extends DriverDeps {
  readonly remains: Remains;
  readonly deployed: Pick<DeployedJobs, 'templates'>;
}
