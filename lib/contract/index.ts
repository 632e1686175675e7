/**
 * What the parts of rawcloud agree on. Plain data and pure functions: no SDK, no CDK, nothing of ours.
 *
 * job          what a user asked to run once: a command, an environment, hardware, a number of tasks
 * task         one numbered unit of a job (0 … n−1) with its own exit code; a plain `run` is a job of one task
 * attempt      one try of a task
 * VM           one EC2 instance, launched for one job, gone after it
 * agent        our program on the VM: prepares the environment, runs tasks, ships logs, ends the VM
 * environment  packages + files + variables + credentials of the developer's machine, addressed by content
 * scaffolding  what `rawcloud deploy` lays down in an account
 * store        the bucket, through one small port
 * offer        one way to buy a VM: type × zone × purchase option, with its price
 * plan         ordered offers with reasons and the expected cost
 * driver       anyone who looks at a job and carries out what `advance` says: client, Lambda, reaper
 * reaper       what proves that nothing is left behind
 * local cloud  an AWS-shaped endpoint on loopback whose instances are local processes
 */
export * from './byte-path';
export * from './absent';
export * from './access';
export * from './access-facts';
export * from './function-access';
export * from './launch-access';
export * from './look-access';
export * from './schedule';
export * from './setup';
export * from './shared';
export * from './asked';
export * from './bootstrap';
export * from './bus-events';
export * from './choices';
export * from './clock';
export * from './concurrency';
export * from './conda-run';
export * from './decision';
export * from './definition';
export * from './deployment';
export * from './destroy';
export * from './doctor';
export * from './environments';
export * from './errors';
export * from './events';
export * from './exec';
export * from './exec-access';
export * from './file-stamp';
export * from './failover';
export * from './job-role';
export * from './json';
export * from './keys';
export * from './limits';
export * from './logins';
export * from './logs';
export * from './market';
export * from './metrics';
export * from './nearest';
export * from './offers';
export * from './package-changes';
export * from './package-choices';
export * from './package-ports';
export * from './ports';
export * from './python-metadata';
export * from './quotas';
export * from './reaper';
export * from './recipes';
export * from './redact';
export * from './records';
export * from './retries';
export * from './scaffold';
export * from './spec';
export * from './state-reason';
export * from './states';
export * from './sweep';
export * from './system-error';
export * from './tags';
export * from './tree';
export * from './units';
export * from './upgrade';
export * from './version';
export * from './view';
export * from './vm-tags';
