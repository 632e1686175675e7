import { parseDuration, RawcloudError } from '../../../lib/contract';
import type { SpotPolicy } from '../../../lib/contract';
import type { AskedChoices } from '../../../lib/runtime/deploy/deps';
import type { DeployOptions } from '../../options';
import { Problems } from '../run/problems';

/** What stands for the default again. */
const NONE = 'none';
const SPOT_POLICIES: readonly SpotPolicy[] = ['on-demand', 'spot', 'spot_with_fallback'];

/** What the command line chooses. @throws E_USAGE with everything that cannot be read */
export function readChoices(options: DeployOptions): AskedChoices {
  const problems = new Problems();
  const one = <T>(text: string | undefined, read: (text: string) => T): T | null | undefined =>
    text === undefined ? undefined : text === NONE ? null : problems.try(() => read(text));
  const many = <T>(texts: readonly string[] | undefined, read: (texts: readonly string[]) => T): T | null | undefined =>
    texts === undefined ? undefined : texts.length === 1 && texts[0] === NONE ? null : problems.try(() => read(texts));
  const asked = {
    maxVms: one(options.maxVms, countOf),
    maxLifetimeS: one(options.maxLifetime, (text) => parseDuration(text, '--max-lifetime')),
    allowedVmTypes: many(options.allowVmType, (texts) => [...texts]),
    allowedSpotPolicies: many(options.allowSpotPolicy, (texts) => texts.map(spotPolicyOf)),
    vmTags: many(options.vmTag, (texts) => Object.fromEntries(texts.map(tagOf))),
    vpc: one(options.vpc, (text) => idOf(text, 'vpc')),
    subnets: options.subnets?.flatMap((text) => problems.try(() => idOf(text, 'subnet')) ?? []),
    securityGroupIds: many(options.securityGroup, (texts) => [...texts]),
    watchedRegions: many(options.watchRegion, (texts) => [...texts]),
    permissionsBoundary: one(options.permissionsBoundary, (text) => text),
    bucket: one(options.bucket, (text) => text),
    keyArn: one(options.key, (text) => text),
    removalPolicy: one(options.removalPolicy, removalPolicyOf),
    shared: switched(options.shared),
    allowExec: switched(options.allowExec),
    metrics: switched(options.metrics),
    reaperIntervalS: one(options.reaperInterval, (text) => parseDuration(text, '--reaper-interval')),
    logRetentionDays: one(options.logRetention, retentionOf),
  };
  problems.throwIfAny('deploy');
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

/** `--no-shared` is the default again. */
function switched(on: boolean | undefined): true | null | undefined {
  return on === false ? null : on;
}

function countOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new RawcloudError('E_USAGE', `--max-vms '${text}' is not possible; allowed are whole numbers from 1, and none`);
}

function removalPolicyOf(text: string): 'retain' | 'destroy' {
  if (text === 'retain' || text === 'destroy') return text;
  throw new RawcloudError('E_USAGE', `--removal-policy '${text}' is not known; allowed are retain, destroy, and none`);
}

function retentionOf(text: string): number | 'forever' {
  return text === 'forever' ? text : parseDuration(text, '--log-retention') / 86_400;
}

function spotPolicyOf(text: string): SpotPolicy {
  const found = SPOT_POLICIES.find((policy) => policy === text);
  if (found) return found;
  throw new RawcloudError('E_USAGE', `--allow-spot-policy '${text}' is not known; allowed are ${SPOT_POLICIES.join(', ')}, and none`);
}

function tagOf(text: string): [key: string, value: string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new RawcloudError('E_USAGE', `--vm-tag '${text}' has no key and value; allowed are forms like team=data, and none`);
}

function idOf(text: string, kind: 'vpc' | 'subnet'): string {
  if (new RegExp(`^${kind}-[0-9a-f]{8,17}$`).test(text)) return text;
  throw new RawcloudError('E_USAGE', `'${text}' is not the id of a ${kind}; it looks like ${kind}-0123456789abcdef0`);
}
