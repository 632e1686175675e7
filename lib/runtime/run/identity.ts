import { RawcloudError } from '../../contract';
import type { JobRole, JobSpec, Notice } from '../../contract';
import type { ClientDeps, Forwarded } from '../deps';
import type { NormalRequest } from '../request';
import type { Prepared } from './begin';

/** What a job is for AWS. */
export type JobIdentity =
  | { readonly kind: 'none' }
  | { readonly kind: 'forwarded'; readonly forwarded: Forwarded }
  | { readonly kind: 'role'; readonly role: JobRole };

/** @throws E_NO_ROLE, and what forwarding the caller's can fail of */
export async function findIdentity(
  deps: Pick<ClientDeps, 'deployed' | 'forward' | 'scaffold'>,
  { role, credentials }: NormalRequest,
  signal: AbortSignal | undefined,
): Promise<JobIdentity> {
  if (role !== undefined) return { kind: 'role', role: await findRole(deps, role, signal) };
  const forwarded = credentials === 'none' ? undefined : await deps.forward(signal);
  return forwarded ? { kind: 'forwarded', forwarded } : { kind: 'none' };
}

async function findRole(
  { deployed, scaffold }: Pick<ClientDeps, 'deployed' | 'scaffold'>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<JobRole> {
  const roles = await deployed.roles(signal);
  const found = roles.find((role) => role.name === name);
  if (found) return found;
  const names = roles.map((role) => role.name).sort();
  throw new RawcloudError(
    'E_NO_ROLE',
    `the scaffolding '${scaffold.name}' has no role '${name}' for jobs; ${names.length > 0 ? `there are ${names.join(', ')}` : 'it has none at all'}`,
    {
      remedy: `Lay it down in a CDK app, new JobRole(stack, '${name}', { cloud }), or leave out --role: the job then has your own identity.`,
    },
  );
}

/** As it stands in the spec. */
export function specIdentity(identity: JobIdentity): JobSpec['identity'] {
  if (identity.kind === 'none') return identity;
  if (identity.kind === 'role') return { kind: 'role', arn: identity.role.roleArn };
  const { arn, credentials } = identity.forwarded;
  return { kind: 'forwarded', arn, ...(credentials.expiresAt ? { expiresAt: credentials.expiresAt } : {}) };
}

/** What the VMs of its jobs are launched from and are for AWS. */
export function baseOf({ roleId, launchTemplateId, launchTemplateVersion }: JobRole): NonNullable<Prepared['base']> {
  return { roleId, launchTemplateId, launchTemplateVersion };
}

/** In words. */
export function identityText(identity: JobIdentity): string {
  const spec = specIdentity(identity);
  if (spec.kind === 'none') return 'none';
  return 'expiresAt' in spec ? `${spec.arn} until ${spec.expiresAt}` : spec.arn;
}

/** Without a watcher nobody renews the job's AWS session: said before the launch, with the hour at which it ends. */
export function accessNotices(
  identity: JobIdentity,
  { watched, jobEndsAt }: { readonly watched: boolean; readonly jobEndsAt: number },
): Notice[] {
  if (watched || identity.kind !== 'forwarded') return [];
  const { expiresAt } = identity.forwarded.credentials;
  if (expiresAt === undefined || Date.parse(expiresAt) >= jobEndsAt) return [];
  const until = `${expiresAt.slice(0, 16).replace('T', ' ')} UTC`;
  const text = `the job's AWS access ends at ${until} unless somebody watches by then (rawcloud attach renews it); with --role it would have its own`;
  return [{ level: 'warning', text }];
}
