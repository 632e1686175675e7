import { privateDnsName, zoneId } from '../ec2/network';
import type { InstanceRecord } from '../ec2/records';
import { blockDevices, networkInterface } from './devices';

/** What a path leads to: content, or a directory whose names are listed. A function is called when its content is asked for. */
export type MetadataNode = string | Uint8Array | (() => string) | MetadataDirectory;
export interface MetadataDirectory {
  readonly [name: string]: MetadataNode | undefined;
}

/** What surrounds an instance. */
export interface InstanceFacts {
  readonly account: string;
  readonly region: string;
  /** Name of the role in the instance's profile. @default - no role: there is nothing under `iam` */
  readonly role?: string;
  /** JSON of the role's credentials. */
  readonly credentials: () => string;
}

/** Stands for the profile's unique id, which nothing depends on. */
export const PROFILE_ID = 'AIPALOCALPROFILE00000';

/**
 * Everything under `/latest/` as it is now: tags may change while the instance runs.
 * Source: EC2 user guide, "Access instance metadata", categories.
 */
export function metadataOf(i: InstanceRecord, facts: InstanceFacts): MetadataDirectory {
  const hostname = privateDnsName(i.interface.privateIp, facts.region);
  return {
    dynamic: { 'instance-identity': { document: identityDocument(i, facts) } },
    'meta-data': {
      'ami-id': i.imageId,
      'ami-launch-index': String(i.index),
      'block-device-mapping': blockDevices(i),
      hostname,
      iam: facts.role === undefined ? undefined : iam(i, facts, facts.role),
      'instance-action': 'none',
      'instance-id': i.id,
      'instance-life-cycle': i.spot ? 'spot' : 'on-demand',
      ...spotNews(i),
      'instance-type': i.type,
      'local-hostname': hostname,
      'local-ipv4': i.interface.privateIp,
      mac: i.interface.mac,
      network: { interfaces: { macs: { [i.interface.mac]: networkInterface(i, facts) } } },
      placement: { 'availability-zone': i.zone, 'availability-zone-id': zoneId(i.zone), region: facts.region },
      'reservation-id': i.reservation,
      services: { domain: 'amazonaws.com', partition: 'aws' },
      tags: i.metadata.tags === 'enabled' ? { instance: i.tags } : undefined,
    },
    'user-data': i.userData === '' ? undefined : Buffer.from(i.userData, 'base64'),
  };
}

/** What EC2 is about to do with a spot instance; nothing stands there until it is. */
function spotNews({ spot }: InstanceRecord): MetadataDirectory {
  if (!spot) return {};
  const { rebalanceAt, notice } = spot;
  const time = notice && wholeSeconds(notice.at);
  return {
    events:
      rebalanceAt === undefined ? undefined : { recommendations: { rebalance: JSON.stringify({ noticeTime: wholeSeconds(rebalanceAt) }) } },
    spot: time === undefined ? undefined : { 'instance-action': JSON.stringify({ action: 'terminate', time }), 'termination-time': time },
  };
}

function iam({ profile, launchedAt }: InstanceRecord, { account, credentials }: InstanceFacts, role: string): MetadataDirectory {
  const info = {
    Code: 'Success',
    LastUpdated: wholeSeconds(launchedAt),
    InstanceProfileArn: `arn:aws:iam::${account}:instance-profile/${profile}`,
    InstanceProfileId: PROFILE_ID,
  };
  return { info: JSON.stringify(info, undefined, 2), 'security-credentials': { [role]: credentials } };
}

function identityDocument(i: InstanceRecord, { account, region }: InstanceFacts): string {
  const document = {
    accountId: account,
    architecture: i.arch,
    availabilityZone: i.zone,
    billingProducts: null,
    imageId: i.imageId,
    instanceId: i.id,
    instanceType: i.type,
    pendingTime: wholeSeconds(i.launchedAt),
    privateIp: i.interface.privateIp,
    region,
    version: '2017-09-30',
  };
  return JSON.stringify(document, undefined, 2);
}

function wholeSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+/, '');
}
