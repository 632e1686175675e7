/** Tags on instances, volumes and interfaces; all ours start with this. */
export const TAG_PREFIX = 'rawcloud:';

export const TAGS = {
  /** Name of the scaffolding, as `default`: what carries it is ours. */
  scaffold: 'rawcloud:scaffold',
  /** Public job id. */
  job: 'rawcloud:job',
  /** Number of the launch record. */
  launch: 'rawcloud:launch',
  /** End of the lifetime, ISO 8601 UTC. */
  until: 'rawcloud:until',
} as const;
