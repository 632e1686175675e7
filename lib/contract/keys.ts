import { createHash } from 'node:crypto';

/**
 * Every key in the bucket is built (and taken apart) here and nowhere else.
 * Meanings, writers and rules: `docs/protocol.md`.
 *
 * `vm` in keys is the `aws:userid` of the VM's role session, `<role id>:<instance id>`, because that is
 * what an IAM policy can compare with: it lets one static role give every VM a directory of its own.
 */
export const ROOT = 'v1/';

/** Prefix of one job: public id and 128-bit secret (32 hex digits). Knowing it is the capability. */
export function jobPrefix(job: string, secret: string): string {
  return `${ROOT}jobs/${job}-${secret}/`;
}

/** The job id inside a job prefix. */
export function jobOfPrefix(prefix: string): string {
  const name = prefix.slice(`${ROOT}jobs/`.length);
  return name.slice(0, name.indexOf('-'));
}

/** `<role id>:<instance id>`: the VM's name in keys. */
export function vmUserId(roleId: string, instanceId: string): string {
  return `${roleId}:${instanceId}`;
}

/** The instance id of a VM's name in keys. */
export function instanceOfVm(vm: string): string {
  return vm.slice(vm.indexOf(':') + 1);
}

/** Keys under one job's prefix. */
export const jobKeys = {
  spec: (prefix: string) => `${prefix}spec.json`,
  launch: (prefix: string, n: number) => `${prefix}launch/${n}.json`,
  launches: (prefix: string) => `${prefix}launch/`,
  control: (prefix: string) => `${prefix}control.json`,
  claim: (prefix: string, block: number) => `${prefix}task/${block}/claim.json`,
  done: (prefix: string, block: number) => `${prefix}task/${block}/done.json`,
  vmDirectory: (prefix: string, vm: string) => `${prefix}vm/${vm}/`,
  beat: (prefix: string, vm: string) => `${prefix}vm/${vm}/beat.json`,
  bootLog: (prefix: string, vm: string) => `${prefix}vm/${vm}/boot.log`,
  /** Log chunk; the number is zero-padded so that key order is log order. */
  log: (prefix: string, vm: string, seq: number) => `${prefix}vm/${vm}/log/${String(seq).padStart(9, '0')}`,
  logDirectory: (prefix: string, vm: string) => `${prefix}vm/${vm}/log/`,
  /** A pack or manifest of files brought back. */
  out: (prefix: string, vm: string, name: string) => `${prefix}vm/${vm}/out/${name}`,
  outcome: (prefix: string) => `${prefix}outcome.json`,
  end: (prefix: string) => `${prefix}end.json`,
} as const;

/** Keys outside the job prefixes. */
export const bucketKeys = {
  sealed: (job: string) => `${ROOT}sealed/${job}`,
  privateDirectory: (vm: string) => `${ROOT}private/${vm}/`,
  grant: (vm: string) => `${ROOT}private/${vm}/grant.json`,
  /** A pack, a large blob, a tree manifest, stdin: anything stored under the SHA-256 of its bytes. */
  file: (sha256: string) => `${ROOT}files/${sha256}`,
  files: `${ROOT}files/`,
  environments: `${ROOT}environments/`,
  environmentManifest: (key: string) => `${ROOT}environments/${key}/manifest`,
  environmentLease: (key: string) => `${ROOT}environments/${key}/lease`,
  /** What people are told of an environment. */
  environmentUse: (key: string) => `${ROOT}environments/${key}/use`,
  /** The last environment of a project. */
  environmentLast: (key: string) => `${ROOT}environments/${key}/last`,
  /** `<key of an environment>/<SHA-256>`. */
  environmentPack: (name: string) => `${ROOT}environments/${name}`,
  /** What keys of an owner's environments are made with. */
  environmentSecret: (owner: string) => `${ROOT}sealed/environments/${ownerKey(owner)}`,
  /** The agent bundle or a gzipped Node executable, under the SHA-256 of the stored bytes. */
  agent: (sha256: string) => `${ROOT}agent/${sha256}`,
  agents: `${ROOT}agent/`,
  active: (job: string) => `${ROOT}active/${job}`,
  actives: `${ROOT}active/`,
  /** Newest first in key order; see {@link reverseTime}. */
  index: (createdAtMs: number, owner: string, job: string) => `${ROOT}index/${reverseTime(createdAtMs)}.${ownerKey(owner)}.${job}`,
  indexes: `${ROOT}index/`,
  /** What AWS sells in a region, and at what price. */
  market: (region: string) => `${ROOT}market/${region}`,
  /** One tick of a deployed job; ticks are times, or ids that others chose. */
  tick: (id: string, tick: string) => `${ROOT}ticks/${id}/${createHash('sha256').update(tick).digest('hex').slice(0, 32)}`,
  lastTick: (id: string) => `${ROOT}ticks/${id}/last`,
  ticks: `${ROOT}ticks/`,
  /** What the reaper has found and not yet ended. */
  reaperMarks: `${ROOT}reaper/marks.json`,
  /** Content that is being deleted just now. */
  sweep: `${ROOT}sweep/now.json`,
  /** Where the reaper's findings lie. */
  reaperFindings: `${ROOT}reaper/findings/`,
  /** Nothing stays there: what may be read, written and deleted is tried on it. */
  probe: (directory: string) => `${ROOT}${directory}/rawcloud-doctor`,
  /** A pass of the reaper that found something; newest first in key order. */
  findings: (atMs: number) => `${ROOT}reaper/findings/${reverseTime(atMs)}`,
  ledgers: `${ROOT}ledger/`,
  ledger: (createdAtMs: number, job: string) => `${ROOT}ledger/${new Date(createdAtMs).toISOString().slice(0, 7)}/${job}`,
} as const;

/** What a key under a job's prefix is; `undefined` for keys this version does not know. */
export type JobKey =
  | { readonly kind: 'spec' | 'control' | 'outcome' | 'end' }
  | { readonly kind: 'launch'; readonly n: number }
  | { readonly kind: 'claim' | 'done'; readonly block: number }
  | { readonly kind: 'beat' | 'bootLog'; readonly vm: string }
  | { readonly kind: 'log'; readonly vm: string; readonly seq: number };

const JOB_KEY_SHAPES: readonly [RegExp, (m: RegExpExecArray) => JobKey][] = [
  [/^spec\.json$/, () => ({ kind: 'spec' })],
  [/^control\.json$/, () => ({ kind: 'control' })],
  [/^outcome\.json$/, () => ({ kind: 'outcome' })],
  [/^end\.json$/, () => ({ kind: 'end' })],
  [/^launch\/(\d+)\.json$/, (m) => ({ kind: 'launch', n: Number(m[1]) })],
  [/^task\/(\d+)\/(claim|done)\.json$/, (m) => ({ kind: m[2] as 'claim' | 'done', block: Number(m[1]) })],
  [/^vm\/([^/]+)\/beat\.json$/, (m) => ({ kind: 'beat', vm: m[1]! })],
  [/^vm\/([^/]+)\/boot\.log$/, (m) => ({ kind: 'bootLog', vm: m[1]! })],
  [/^vm\/([^/]+)\/log\/(\d+)$/, (m) => ({ kind: 'log', vm: m[1]!, seq: Number(m[2]) })],
];

/** Takes a key apart that lies under `prefix`. */
export function parseJobKey(prefix: string, key: string): JobKey | undefined {
  if (!key.startsWith(prefix)) return undefined;
  const rest = key.slice(prefix.length);
  for (const [shape, make] of JOB_KEY_SHAPES) {
    const match = shape.exec(rest);
    if (match) return make(match);
  }
  return undefined;
}

const LAST_MS = 9_999_999_999_999;

/** A time as 13 digits that sort newest first: 9999999999999 − milliseconds since 1970. */
export function reverseTime(ms: number): string {
  return String(LAST_MS - Math.trunc(ms)).padStart(13, '0');
}

/** Owners hold characters that keys should not (`arn:…/…@…`): 12 hex digits of their SHA-256. */
export function ownerKey(owner: string): string {
  return createHash('sha256').update(owner).digest('hex').slice(0, 12);
}

/** Takes an index key apart. */
export function parseIndexKey(key: string): { createdAtMs: number; ownerKey: string; job: string } | undefined {
  const match = /^v1\/index\/(\d{13})\.([0-9a-f]{12})\.([^.]+)$/.exec(key);
  if (!match) return undefined;
  return { createdAtMs: LAST_MS - Number(match[1]), ownerKey: match[2]!, job: match[3]! };
}

/** Takes the key of an object of an environment apart; undefined for what is none of its own content. */
export function parseEnvironmentKey(key: string): { readonly key: string; readonly kind: 'manifest' | 'use' | 'pack' } | undefined {
  const match = /^v1\/environments\/([0-9a-f]{64})\/(?:(manifest|use)|[0-9a-f]{64})$/.exec(key);
  if (!match) return undefined;
  return { key: match[1]!, kind: (match[2] as 'manifest' | 'use' | undefined) ?? 'pack' };
}
