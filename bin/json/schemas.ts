import * as v from 'valibot';
import {
  BillSchema,
  ERROR_CODES,
  LeftoverSchema,
  OfferSchema,
  OutcomeSchema,
  OutputFileSchema,
  SweptSchema,
  TimingsSchema,
  UnprovedSchema,
} from '../../lib/contract';
import type { ErrorCode } from '../../lib/contract';
import { EVENT_DATA_SCHEMAS } from '../../lib/contract/event-schemas';

/*
 * What `--json` prints, for tests and the page docs/json.md: lines in the envelope of the events, and answers, one object of
 * the verbs that look something up. Not loaded by the CLI.
 */

const Iso = v.pipe(v.string(), v.isoTimestamp());
const Text = v.optional(v.string());
const States = v.picklist(['recorded', 'launching', 'running', 'ending', 'ended']);
const VmStates = v.picklist(['requested', 'pending', 'booting', 'preparing', 'idle', 'busy', 'ending', 'gone']);
const Code = v.picklist(Object.keys(ERROR_CODES) as ErrorCode[]);
const Notice = EVENT_DATA_SCHEMAS.notice;
const Leftovers = v.array(v.strictObject(LeftoverSchema.entries));
const Files = v.array(OutputFileSchema);
const Remains = v.array(
  v.strictObject({
    kind: v.picklist(['vm', 'volume', 'interface', 'template', 'group', 'bucket', 'parameter', 'stack']),
    id: v.string(),
    region: v.string(),
  }),
);

const Statements = v.array(
  v.strictObject({
    effect: v.string(),
    actions: v.array(v.string()),
    resources: v.array(v.string()),
    conditions: v.array(v.string()),
  }),
);
const CheckEntry = v.strictObject({
  id: v.string(),
  state: v.picklist(['ok', 'warning', 'failed', 'unknown']),
  text: v.string(),
  remedy: Text,
  data: v.optional(v.record(v.string(), v.unknown())),
});

/** Lines that the CLI adds to the events, by type. */
export const CLI_LINE_SCHEMAS = {
  result: v.strictObject({
    job: v.string(),
    name: Text,
    outcome: OutcomeSchema.entries.outcome,
    reason: v.string(),
    message: v.string(),
    remedy: Text,
    exitCode: v.number(),
    exitCodeIsJobs: v.boolean(),
    bill: BillSchema,
    outputs: Files,
    timings: TimingsSchema,
  }),
  detached: v.strictObject({ name: Text, stopping: v.boolean(), until: v.optional(Iso) }),
  downloaded: v.strictObject({ directory: v.string(), files: Files }),
  plan: v.looseObject({
    offers: v.array(OfferSchema),
    image: v.string(),
    diskGiB: v.number(),
    lifetimeS: v.number(),
    retries: v.number(),
    usdPerHour: v.number(),
    minimumUsd: v.number(),
    identity: v.strictObject({ kind: v.picklist(['none', 'forwarded']), arn: Text, expiresAt: Text }),
    logins: v.array(v.string()),
    tree: v.looseObject({ root: v.string(), files: v.number(), bytes: v.number() }),
    packages: v.array(v.looseObject({ kind: v.string(), title: v.string() })),
    notices: v.array(Notice),
  }),
  'destroy.survey': v.strictObject({
    name: v.string(),
    account: v.string(),
    region: v.string(),
    bucket: v.string(),
    ownBucket: v.boolean(),
    stack: Text,
    jobs: v.array(v.looseObject({ job: v.string(), name: Text, command: v.string(), state: States })),
    remaining: Remains,
  }),
  'destroy.stopping': v.strictObject({ job: v.string() }),
  'destroy.stopped': v.strictObject({ job: v.string() }),
  'destroy.exported': v.strictObject({ file: v.string(), jobs: v.number() }),
  'destroy.emptying': v.strictObject({ bucket: v.string(), objects: v.number() }),
  'destroy.removing': v.strictObject({ what: v.string() }),
  'destroy.removed': v.strictObject({ what: v.string() }),
  'destroy.proof': v.strictObject({ remaining: Remains, regions: v.number() }),
  'deploy.notice': v.strictObject({ text: v.string() }),
  'deploy.waiting': v.strictObject({ stack: v.string(), status: v.string() }),
  'deploy.installing': v.strictObject({ directory: v.string() }),
  'deploy.installed': v.strictObject({ directory: v.string() }),
  'deploy.survey': v.strictObject({
    name: v.string(),
    account: v.string(),
    region: v.string(),
    arn: v.string(),
    stack: v.string(),
    from: Text,
    version: v.string(),
    bootstrap: v.boolean(),
    afterFailure: v.boolean(),
    options: v.array(v.string()),
    changed: v.array(v.strictObject({ option: v.string(), from: Text, to: Text })),
    resources: v.array(
      v.strictObject({
        id: v.string(),
        type: v.string(),
        action: v.picklist(['create', 'update', 'replace', 'may-replace', 'remove', 'leave']),
        properties: v.array(v.string()),
      }),
    ),
    roles: v.array(v.strictObject({ id: v.string(), trusted: v.array(v.string()), managed: v.array(v.string()), statements: Statements })),
    roleChanges: v.array(v.strictObject({ id: v.string(), added: Statements, removed: Statements })),
    standing: v.strictObject({ reaperUsd: v.number(), metricsAtMostUsd: v.number() }),
  }),
  'deploy.bootstrapping': v.strictObject({ account: v.string(), region: v.string() }),
  'deploy.bootstrapped': v.strictObject({ account: v.string(), region: v.string() }),
  'deploy.deploying': v.strictObject({ stack: v.string() }),
  'deploy.step': v.strictObject({
    id: v.string(),
    type: v.string(),
    status: v.string(),
    reason: Text,
    physicalId: Text,
    done: v.number(),
    total: v.optional(v.number()),
  }),
  'deploy.deployed': v.strictObject({ stack: v.string(), changed: v.boolean() }),
  'deploy.verdict': v.strictObject({ well: v.boolean(), checks: v.array(CheckEntry), next: v.string() }),
  error: v.strictObject({ code: Code, message: v.string(), remedy: Text }),
} as const;

const Summary = {
  job: v.string(),
  name: Text,
  owner: v.string(),
  command: v.string(),
  createdAt: Iso,
  state: States,
  outcome: v.optional(OutcomeSchema.entries.outcome),
  exitCode: v.optional(v.number()),
  vmType: Text,
  usd: v.optional(v.number()),
} as const;

const Vm = v.strictObject({
  id: v.string(),
  state: VmStates,
  silent: v.boolean(),
  detail: Text,
  vmType: v.string(),
  zone: Text,
  launchedAt: v.optional(Iso),
  endedAt: v.optional(Iso),
});

const ErrorEntry = v.strictObject({
  code: Code,
  source: v.picklist(['user', 'aws', 'job', 'internal']),
  exitCode: v.number(),
  title: v.string(),
  means: v.string(),
  why: v.array(v.string()),
  todo: v.array(v.string()),
});

const One = v.literal(1);

const Package = v.strictObject({
  kind: v.string(),
  name: v.string(),
  version: v.string(),
  from: v.string(),
  bytes: v.optional(v.number()),
});
const Change = v.strictObject({ kind: v.string(), name: v.string(), from: v.string(), to: v.string() });

const Kept = v.strictObject({
  id: v.string(),
  kind: Text,
  platform: Text,
  packages: v.optional(v.number()),
  bytes: v.optional(v.number()),
  storedBytes: v.number(),
  builtAt: Iso,
  usedAt: Iso,
  isYours: v.boolean(),
  isHere: v.boolean(),
});

/** The one object that a verb prints, by verb. */
export const ANSWER_SCHEMAS = {
  ps: v.strictObject({ v: One, jobs: v.array(v.strictObject(Summary)) }),
  status: v.looseObject({
    v: One,
    ...Summary,
    argv: v.array(v.string()),
    cwd: v.string(),
    vms: v.array(Vm),
    launches: v.array(v.looseObject({ n: v.number(), offer: OfferSchema, state: v.string() })),
    lifetimeUntil: Iso,
    endedAt: v.optional(Iso),
    stopRequestedAt: v.optional(Iso),
    credentialsUntil: v.optional(Iso),
    bill: BillSchema,
    timings: v.record(v.string(), v.strictObject({ start: Iso, end: Iso, seconds: v.number() })),
    outputs: Files,
    outputsOmitted: v.number(),
  }),
  'logs --boot': v.strictObject({ v: One, job: v.string(), bootLog: v.string() }),
  // After its `output` lines.
  exec: v.strictObject({ v: One, job: v.string(), vm: v.string(), exitCode: v.number() }),
  'env show': v.strictObject({
    v: One,
    command: v.array(v.string()),
    root: v.string(),
    found: v.array(v.strictObject({ kind: v.string(), title: v.string(), installedBytes: v.optional(v.number()) })),
    packages: v.array(v.strictObject({ ...Package.entries, installedBytes: v.optional(v.number()) })),
    packageBytes: v.number(),
    files: v.strictObject({
      files: v.number(),
      bytes: v.number(),
      largest: v.array(v.strictObject({ path: v.string(), bytes: v.number() })),
    }),
    access: v.array(v.string()),
    notices: v.array(Notice),
  }),
  'env diff': v.strictObject({
    v: One,
    since: v.optional(v.strictObject({ job: v.string(), at: Iso, command: v.array(v.string()) })),
    root: v.string(),
    found: v.array(Change),
    packages: v.strictObject({ added: v.array(Package), removed: v.array(Package), changed: v.array(Change) }),
    files: v.optional(v.strictObject({ added: v.array(v.string()), changed: v.array(v.string()), removed: v.array(v.string()) })),
  }),
  // After the lines of its run.
  'env build': v.strictObject({ v: One, environments: v.array(Kept) }),
  'env list': v.strictObject({ v: One, environments: v.array(Kept) }),
  'env delete': v.strictObject({
    v: One,
    environments: v.array(Kept),
    objects: v.number(),
    bytes: v.number(),
    keptForOthers: v.array(v.string()),
  }),
  extend: v.strictObject({ v: One, job: v.string(), lifetimeUntil: Iso }),
  reap: v.strictObject({
    v: One,
    jobs: v.number(),
    ended: v.array(v.string()),
    failed: v.array(v.string()),
    started: v.array(v.string()),
    marked: Leftovers,
    removed: Leftovers,
    cleared: Leftovers,
    waiting: v.number(),
    swept: v.strictObject(SweptSchema.entries),
    unproved: v.array(v.strictObject(UnprovedSchema.entries)),
  }),
  doctor: v.strictObject({
    v: One,
    well: v.boolean(),
    checks: v.array(CheckEntry),
  }),
  local: v.looseObject({
    v: One,
    running: v.boolean(),
    directory: v.string(),
    endpoint: Text,
    pid: v.optional(v.number()),
    driver: Text,
    driverWhy: Text,
    vms: v.optional(v.number()),
  }),
  explain: v.strictObject({ v: One, errors: v.array(ErrorEntry) }),
  completion: v.strictObject({ v: One, shell: v.string(), script: v.string() }),
} as const;
