import type { Definition, Deployed, JobRole } from '../../contract';

/** What apps have laid down for a scaffolding: jobs with their content, and roles for jobs. */
export interface DeployedJobs {
  /** The parameter that CloudFormation wrote; undefined when there is no such job. */
  read(id: string): Promise<Deployed | undefined>;
  /** All roles that jobs may be run with, in no particular order. */
  roles(signal?: AbortSignal): Promise<JobRole[]>;
  /** Ids of the launch templates of all deployed jobs and roles. */
  templates(signal?: AbortSignal): Promise<string[]>;
  /** An asset of the app, whole. @throws E_INTEGRITY when it is not what its hash says */
  definition(deployed: Deployed): Promise<Definition>;
  /** Copies an asset into our bucket, without its bytes passing through us. */
  copy(deployed: Deployed, sha256: string, key: string): Promise<void>;
}
