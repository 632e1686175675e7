import type { CdkPackages, Check, ChoiceChange, Clock, DeploymentLook, ResourceChange, ScaffoldChoices, StackStep } from '../../contract';
import type { RoleChange, RoleText } from './roles';

/** What a deployment works with. */
export interface DeployDeps {
  readonly look: DeploymentLook;
  readonly packages: CdkPackages;
  /** Of this package: what the scaffolding will be of. */
  readonly version: string;
  readonly clock: Clock;
  /** Whether jobs will run, when all is done. */
  examine(signal?: AbortSignal): AsyncIterable<Check>;
}

/** What is asked for: absent is what the last deployment was told, null the default. */
export type AskedChoices = { readonly [C in Exclude<keyof ScaffoldChoices, 'vpc'>]?: ScaffoldChoices[C] | null } & {
  /** Id of a VPC; null is the default VPC. */
  readonly vpc?: string | null;
  /** Ids of its subnets, one for each zone. @default - those that give public addresses */
  readonly subnets?: readonly string[];
};

/** What a person is asked, or a script has answered before. */
export type Question =
  | { readonly about: 'install'; readonly packages: Readonly<Record<string, string>>; readonly directory: string }
  | {
      readonly about: 'bootstrap';
      readonly account: string;
      readonly region: string;
      readonly policies: readonly string[];
      readonly command: string;
    }
  | { readonly about: 'deploy'; readonly survey: DeploySurvey };

export interface DeployRequest {
  /** Of the scaffolding. */
  readonly name: string;
  readonly choices: AskedChoices;
  /** For the bootstrap: what CloudFormation may do. Empty: AdministratorAccess. */
  readonly executionPolicies?: readonly string[];
  /** Shows what would happen, and ends there. @default false */
  readonly dryRun?: boolean;
  /** False: that is not done. */
  readonly confirm: (question: Question) => Promise<boolean>;
  readonly onEvent: (event: DeployEvent) => Promise<void>;
}

/** What there is, and what becomes of it. */
export interface DeploySurvey {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** Who deploys. */
  readonly arn: string;
  readonly stack: string;
  /** Version of the scaffolding that is there. @default - there is none */
  readonly from?: string;
  readonly version: string;
  /** The account has to be bootstrapped first. */
  readonly bootstrap: boolean;
  /** What is left of an attempt that failed goes first. */
  readonly afterFailure: boolean;
  /** Options that hold, in words. */
  readonly options: readonly string[];
  /** Those that differ from the last deployment's. */
  readonly changed: readonly ChoiceChange[];
  readonly resources: readonly ResourceChange[];
  /** Of a new scaffolding: all roles. */
  readonly roles: readonly RoleText[];
  /** Of one that is there: statements that come and go. */
  readonly roleChanges: readonly RoleChange[];
  /** What a month costs while no job runs, beside what lies in the bucket. */
  readonly standing: { readonly reaperUsd: number; readonly metricsAtMostUsd: number };
}

/** What happens, in this order. */
export type DeployEvent =
  /** Something could not be looked at before it begins. */
  | { readonly type: 'notice'; readonly text: string }
  /** Somebody's deployment is under way: waits for its end. */
  | { readonly type: 'waiting'; readonly stack: string; readonly status: string }
  | { readonly type: 'installing' | 'installed'; readonly directory: string }
  | { readonly type: 'survey'; readonly survey: DeploySurvey }
  | { readonly type: 'bootstrapping' | 'bootstrapped'; readonly account: string; readonly region: string }
  | { readonly type: 'deploying'; readonly stack: string }
  | { readonly type: 'step'; readonly step: StackStep }
  /** `changed` is false when there was nothing to change. */
  | { readonly type: 'deployed'; readonly stack: string; readonly changed: boolean }
  /** Whether jobs run, what is not well, and what to type next. */
  | { readonly type: 'verdict'; readonly well: boolean; readonly checks: readonly Check[]; readonly next: string };
