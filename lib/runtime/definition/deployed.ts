import type { Definition, Deployed } from '../../contract';

/** Where deployed jobs and their content are, as seen by who launches them. */
export interface DeployedJobs {
  /** The parameter that CloudFormation wrote; undefined when there is no such job. */
  read(id: string): Promise<Deployed | undefined>;
  /** Ids of the launch templates of all deployed jobs. */
  templates(signal?: AbortSignal): Promise<string[]>;
  /** An asset of the app, whole. @throws E_INTEGRITY when it is not what its hash says */
  definition(deployed: Deployed): Promise<Definition>;
  /** Copies an asset into our bucket, without its bytes passing through us. */
  copy(deployed: Deployed, sha256: string, key: string): Promise<void>;
}
