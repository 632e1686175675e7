/** Constructs: the scaffolding of an account and the jobs in it, for `cdk deploy` or for import into another CDK app. */
export { Architecture, EventJob, JobRole, JobSecret, JobTarget, Overlap, RawCloud, ScheduledJob, SpotPolicy } from './constructs';
export type {
  EventJobProps,
  IRawCloud,
  JobOptions,
  JobRoleProps,
  LimitProps,
  RawCloudAttributes,
  RawCloudProps,
  ScheduledJobProps,
} from './constructs';
