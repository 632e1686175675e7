import { createHash } from 'node:crypto';
import { encodeJson, jobKeys, jobPrefix, vmUserId } from '../../lib/contract';
import type { Beat, Control, Done, Instance, Intervals, JobSpec, Launch, ObservedObject, Offer, Outcome, Ref } from '../../lib/contract';

/** Records that are valid and dull; tests say only what matters to them. */

export const ROLE_ID = 'AROATESTTESTTESTTEST1';
export const JOB = 'jtest0000001';
export const PREFIX = jobPrefix(JOB, '0123456789abcdef0123456789abcdef');
export const START = Date.parse('2026-11-01T12:00:00Z');
export const VM = 'i-00000000000000001';
export const VM_USER = vmUserId(ROLE_ID, VM);
export const SHA = 'a'.repeat(64);

/** A reference to content that nobody needs to have. */
export function ref(what: string): Ref {
  return { sha256: createHash('sha256').update(what).digest('hex'), bytes: what.length };
}

export const INTERVALS: Intervals = {
  beatMs: 10_000,
  idleBeatMs: 60_000,
  flushMs: 1000,
  idleFlushMs: 15_000,
  controlMs: 2000,
  idleControlMs: 20_000,
  bootMs: 600_000,
  lostMs: 300_000,
};

export function offer(change: Partial<Offer> = {}): Offer {
  return {
    vmType: 'm7i.large',
    zone: 'us-east-1a',
    purchase: 'on-demand',
    arch: 'x86_64',
    vcpu: 2,
    memoryGiB: 8,
    usdPerHour: 0.1008,
    priceSource: 'built-in price table of 2026-11-01',
    priceEstimated: false,
    ...change,
  };
}

export function spec(change: Partial<JobSpec> = {}): JobSpec {
  return {
    v: 1,
    job: JOB,
    owner: 'arn:aws:iam::123456789012:user/developer',
    createdAt: new Date(START).toISOString(),
    source: { kind: 'cli' },
    work: { kind: 'command', argv: ['true'], cwd: '' },
    tasks: { count: 1, blocks: [[1, 1]] },
    environment: { tree: { sha256: SHA, bytes: 1 }, layers: [], variables: {}, secretNames: [] },
    hardware: { arch: 'x86_64', diskGiB: 30, region: 'us-east-1', spotPolicy: 'on-demand' },
    vms: { max: 1, slots: 1, group: 'independent' },
    limits: { lifetimeS: 86_400, graceS: 10, retries: [] },
    root: false,
    identity: { kind: 'none' },
    outputs: [],
    tags: {},
    ...change,
  };
}

export function launch(change: Partial<Launch> = {}): Launch {
  return {
    v: 1,
    rev: 0,
    job: JOB,
    n: 0,
    offer: offer(),
    rest: [],
    request: JSON.stringify({ ClientToken: `token-${change.n ?? 0}`, TagSpecifications: [] }),
    token: `token-${change.n ?? 0}`,
    intervals: INTERVALS,
    agent: { sha256: SHA, bytes: 1 },
    node: { sha256: SHA, bytes: 1 },
    state: 'intent',
    instances: [],
    timings: {},
    ...change,
  };
}

/** A launch record whose VM was launched and has its grant. */
export function launched(change: Partial<Launch> = {}): Launch {
  return launch({ rev: 2, state: 'launched', instances: [{ id: VM, vm: VM_USER, granted: true }], ...change });
}

export function beat(change: Partial<Beat> = {}): Beat {
  return {
    v: 1,
    rev: 0,
    bootId: 'boot',
    phase: 'busy',
    final: false,
    blocks: [0],
    lastLog: -1,
    timings: {},
    requests: { put: 0, get: 0 },
    notices: [],
    ...change,
  };
}

export function control(change: Partial<Control> = {}): Control {
  return { v: 1, rev: 0, cancelled: [], ...change };
}

export function done(code = 0, change: Partial<Done['results'][number]['exit']> = {}): Done {
  const exit = { code, outOfMemory: false, reason: 'exited' as const, ...change };
  return { v: 1, vm: VM_USER, epoch: 0, nonce: 'n', results: [{ task: 0, exit, startedAt: START, endedAt: START }] };
}

export function outcome(change: Partial<Outcome> = {}): Outcome {
  return { v: 1, outcome: 'ok', reason: 'exited', message: 'the command succeeded', exitCode: 0, by: 'agent', at: START, ...change };
}

export function instance(change: Partial<Instance> = {}): Instance {
  return {
    id: VM,
    state: 'running',
    vmType: 'm7i.large',
    zone: 'us-east-1a',
    launchedAt: START,
    tags: {},
    clientToken: 'token-0',
    ...change,
  };
}

/** An object as read from the store; written at `modified`. */
export function object(key: string, value: unknown, modified = START): ObservedObject {
  return { key, body: encodeJson(value), etag: `"${JSON.stringify(value).length}-${modified}"`, modified };
}

/** The objects of a job, named by what they are. */
export const objects = {
  spec: (value = spec(), at?: number) => object(jobKeys.spec(PREFIX), value, at),
  launch: (value: Launch, at?: number) => object(jobKeys.launch(PREFIX, value.n), value, at),
  control: (value: Control, at?: number) => object(jobKeys.control(PREFIX), value, at),
  beat: (value: Beat, at?: number, vm = VM_USER) => object(jobKeys.beat(PREFIX, vm), value, at),
  done: (value: Done, at?: number) => object(jobKeys.done(PREFIX, 0), value, at),
  outcome: (value: Outcome, at?: number) => object(jobKeys.outcome(PREFIX), value, at),
};
