import type { Account } from '../account';
import type { InstanceRecord } from '../ec2/records';
import { credentialSource } from './credentials';
import { openImds } from './imds';
import type { Imds } from './imds';
import { metadataOf } from './metadata';

/** The metadata service of one instance. Its port is remembered, because the machine is told it only once. */
export async function openInstanceImds(
  { id }: InstanceRecord,
  { ec2, facts, principals, roles }: Pick<Account, 'ec2' | 'facts' | 'principals' | 'roles'>,
): Promise<Imds> {
  const { instances, now } = ec2;
  const instance = (): InstanceRecord => instances.get(id)!;
  const { imds, metadata, profile } = instance();
  const { account, region } = facts;
  const role = profile === undefined ? undefined : roles.get(profile);
  const credentials = credentialSource(() => principals.issueForVm(id, role), now);
  const surroundings = { account, region, ...(role ? { role: role.name } : {}), credentials };
  const opened = await openImds({
    ...imds,
    tokens: metadata.tokens,
    enabled: metadata.endpoint !== 'disabled',
    metadata: () => metadataOf(instance(), surroundings),
    now,
  });
  if (opened.port !== imds.port) await instances.put({ ...instance(), imds: { ...imds, port: opened.port } });
  return opened;
}
