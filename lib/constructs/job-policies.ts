import { Lazy } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IPrincipal, IRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { jobVmStatements, keepTemplates } from '../contract';
import { attach } from './attach';

/** A deployed job's VMs, as policies name them. */
export interface JobVms {
  readonly roleArn: string;
  readonly templateArn: string;
}

/** Each is named in up to 240 characters, and a managed policy has 6,144. A principal may have ten of them. */
const JOBS_PER_POLICY = 20;

interface Page {
  readonly jobs: JobVms[];
  /** Absent where jobs are known otherwise. */
  readonly launch?: ManagedPolicy;
}

/**
 * Names the roles and templates of a scaffolding's deployed jobs to those who launch them, in managed policies of so many jobs each:
 * one list in the policies of everybody would be longer than IAM takes, from half a dozen jobs on.
 */
export class JobPolicies {
  readonly #scope: Construct;
  readonly #launches: boolean;
  readonly #launchers = new Set<IPrincipal>();
  readonly #pages: Page[] = [];
  #keeper: IRole | undefined;

  /** @param launches whether launches are to be allowed by name */
  constructor(scope: Construct, launches: boolean) {
    this.#scope = scope;
    this.#launches = launches;
  }

  /** Lets somebody launch all of them, and those that are yet to come. */
  letLaunch(principal: IPrincipal): void {
    this.#launchers.add(principal);
    for (const { launch } of this.#pages) if (launch) attach(launch, principal);
  }

  /** Keeps a role that deletes what carries our tag from deleting their templates. */
  keepFrom(role: IRole): void {
    this.#keeper = role;
  }

  add(job: JobVms): void {
    const last = this.#pages.at(-1);
    const page = last && last.jobs.length < JOBS_PER_POLICY ? last : this.#addPage();
    page.jobs.push(job);
  }

  #addPage(): Page {
    const jobs: JobVms[] = [];
    const n = this.#pages.length + 1;
    const vmRoleArns = Lazy.list({ produce: () => jobs.map(({ roleArn }) => roleArn) });
    const launchTemplateArns = Lazy.list({ produce: () => jobs.map(({ templateArn }) => templateArn) });
    if (this.#keeper) {
      new ManagedPolicy(this.#scope, `KeepJobs${n}`, {
        description: 'rawcloud: the templates of deployed jobs stay',
        statements: [PolicyStatement.fromJson(keepTemplates(launchTemplateArns))],
        roles: [this.#keeper],
      });
    }
    const page: Page = { jobs, ...(this.#launches ? { launch: this.#launchPolicy(n, { vmRoleArns, launchTemplateArns }) } : {}) };
    this.#pages.push(page);
    for (const principal of this.#launchers) if (page.launch) attach(page.launch, principal);
    return page;
  }

  #launchPolicy(n: number, vms: Parameters<typeof jobVmStatements>[0]): ManagedPolicy {
    return new ManagedPolicy(this.#scope, `LaunchJobs${n}`, {
      description: 'rawcloud: launch the VMs of deployed jobs',
      statements: jobVmStatements(vms).map((statement) => PolicyStatement.fromJson(statement)),
    });
  }
}
