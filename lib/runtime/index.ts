export { connect } from './connect';
export { createClient } from './client';
export { openDeployment } from './deploy/open';
export type { Deployment } from './deploy/open';
export type { AskedChoices, DeployEvent, DeployRequest, DeploySurvey, Question } from './deploy/deps';
export { openDestruction } from './destroy/open';
export type { Destruction } from './destroy/open';
export type { DestroyEvent, DestroyRequest, Survey } from './destroy/deps';
export { openDoctor } from './doctor/open';
export type { Doctor } from './doctor/open';
export { isWell } from './doctor/well';
export { environmentHere } from './environment/here';
export type { ChangedPackage, EnvironmentDiff, EnvironmentHere, EnvironmentRequest, ShownEnvironment } from './environment/here';
export { openExec } from './exec/open';
export type { Exec, ExecEnd } from './exec/open';
export type { ExecCommand, ExecTerminal } from './exec/run';
export type {
  Client,
  ConnectOptions,
  DeletedEnvironments,
  JobHandle,
  JobResult,
  JobStatus,
  JobSummary,
  KeptEnvironment,
  OnTransfer,
  OutputChunk,
  ReapReport,
  RunPlan,
  RunRequest,
  StartedTick,
  TickRequest,
  TransferProgress,
  TreeSize,
} from './api';
export type { Artifact, ClientDeps, Forwarded } from './deps';
export { DEFAULT_INTERVALS } from './deps';
export {
  ERROR_CODES,
  EXIT_CODES,
  formatDuration,
  formatSize,
  formatUsd,
  isRawcloudError,
  outputBytes,
  parseDuration,
  parseGiB,
  parseSize,
  RawcloudError,
} from '../contract';
export type {
  Arch,
  Bill,
  Bounds,
  Check,
  CheckId,
  CheckState,
  Clock,
  Compute,
  ErrorCode,
  ErrorSource,
  EventData,
  EventType,
  Exit,
  Instance,
  JobState,
  LogStream,
  Notice,
  Offer,
  OutcomeName,
  OutputFile,
  RawcloudEvent,
  Remaining,
  Store,
  Timings,
  VmState,
} from '../contract';
