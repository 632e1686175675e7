export { RawCloud } from './raw-cloud';
export type { RawCloudProps } from './raw-cloud-props';
export { ScheduledJob } from './scheduled-job';
export type { ScheduledJobProps } from './scheduled-job';
export { EventJob, JobTarget } from './job-target';
export type { EventJobProps } from './job-target';
export { Architecture, Overlap, SpotPolicy } from './choices';
export { JobSecret } from './job-options';
export type { JobOptions } from './job-options';
