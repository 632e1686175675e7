import * as v from 'valibot';
import { RawcloudError } from './errors';
import { decodeJson } from './json';
import { checkScaffoldName } from './scaffold';

/** A role that jobs may be run with, as an app has laid it down: what its VMs are for AWS, and what they are launched from. */
export const JobRoleSchema = v.object({
  v: v.literal(1),
  name: v.string(),
  roleArn: v.string(),
  roleId: v.string(),
  launchTemplateId: v.string(),
  launchTemplateVersion: v.string(),
});
export type JobRole = v.InferOutput<typeof JobRoleSchema>;

/** Name of the SSM parameter (type String) of a role. @throws E_USAGE */
export function jobRoleParameterName(scaffold: string, name: string): string {
  return `${jobRolePath(scaffold)}/${checkJobRoleName(name)}`;
}

/** What the names of the parameters of all roles begin with, without the last slash. */
export function jobRolePath(scaffold: string): string {
  return `/rawcloud/${checkScaffoldName(scaffold)}/roles`;
}

/** @throws E_USAGE as {@link jobRoleNameProblem} says */
export function checkJobRoleName(name: string): string {
  const problem = jobRoleNameProblem(name);
  if (problem === undefined) return name;
  throw new RawcloudError('E_USAGE', problem);
}

/** What is wrong with a name, unless it is 1 to 64 letters, digits, dots, dashes and underscores. */
export function jobRoleNameProblem(name: string): string | undefined {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(name)) return undefined;
  const arn = name.startsWith('arn:') ? '; it is called as its JobRole is, not by its ARN' : '';
  return `'${name}' is not the name of a role for jobs; allowed are 1 to 64 letters, digits, '.', '_' and '-'${arn}`;
}

export function parseJobRole(text: string): JobRole {
  return decodeJson(JobRoleSchema, Buffer.from(text), 'the parameter of the role');
}
