import * as v from 'valibot';
import type { EventData, EventType } from './events';
import { LOG_STREAMS } from './logs';
import { OfferSchema } from './offers';
import { BillSchema, ExitSchema, OutcomeSchema } from './records';

/*
 * Schemas of the events, for those who read them as JSON and for the docs. Apart from the types, so that nobody who only
 * sends events carries them. Strict: a key that the page on JSON does not name is an error in our tests.
 */

const Nothing = v.strictObject({});
const Whole = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Data of each type; the compiler holds them to {@link EventData}. */
export const EVENT_DATA_SCHEMAS = {
  'plan.ready': v.strictObject({
    offers: v.array(OfferSchema),
    image: v.string(),
    diskGiB: v.number(),
    lifetimeS: v.number(),
    identity: v.string(),
    usdPerHour: v.number(),
  }),
  'sync.progress': v.strictObject({
    phase: v.picklist(['walk', 'hash', 'pack', 'upload', 'done']),
    files: Whole,
    bytes: Whole,
    newBytes: Whole,
    totalNewBytes: v.optional(Whole),
  }),
  'launch.intent': v.strictObject({ n: Whole, attempt: v.optional(Whole), offer: OfferSchema, reason: v.optional(v.string()) }),
  'launch.attempt': v.strictObject({ n: Whole, attempt: Whole }),
  'launch.outcome': v.strictObject({
    n: Whole,
    state: v.picklist(['launched', 'failed']),
    instances: v.array(v.string()),
    code: v.optional(v.string()),
    message: v.optional(v.string()),
  }),
  'vm.requested': v.strictObject({ vmType: v.string(), zone: v.optional(v.string()) }),
  'vm.pending': Nothing,
  'vm.booting': Nothing,
  'vm.preparing': v.strictObject({ detail: v.optional(v.string()) }),
  'vm.idle': Nothing,
  'vm.busy': Nothing,
  'vm.ending': Nothing,
  'vm.gone': Nothing,
  'environment.progress': v.strictObject({ detail: v.string() }),
  'task.started': Nothing,
  'task.ended': v.strictObject({ exit: ExitSchema }),
  output: v.strictObject({ stream: v.picklist(LOG_STREAMS), text: v.string(), base64: v.optional(v.string()) }),
  notice: v.strictObject({ level: v.picklist(['info', 'warning']), text: v.string() }),
  'job.outcome': OutcomeSchema,
  'job.ended': v.strictObject({ vms: Whole, endedAt: v.number() }),
  bill: BillSchema,
} as const satisfies { [T in EventType]: v.GenericSchema<unknown, EventData[T]> };

/** What stands around the data of every line. */
export const ENVELOPE = {
  v: v.literal(1),
  at: v.pipe(v.string(), v.isoTimestamp()),
  job: v.optional(v.string()),
  vm: v.optional(v.string()),
  task: v.optional(Whole),
} as const;
