import type { LogStream } from './logs';
import type { JobState, TaskState, VmState } from './states';
import type { Bill, Exit, Outcome } from './records';
import type { Offer } from './offers';
import type { Notice } from './spec';

/** Payload of each event type. Nothing in an event is secret. */
export interface EventData {
  'plan.ready': { offers: readonly Offer[]; image: string; diskGiB: number; lifetimeS: number; identity: string; usdPerHour: number };
  'sync.progress': {
    phase: 'walk' | 'hash' | 'pack' | 'upload' | 'done';
    files: number;
    bytes: number;
    newBytes: number;
    totalNewBytes?: number;
  };
  'launch.intent': { n: number; attempt?: number; offer: Offer; reason?: string };
  'launch.attempt': { n: number; attempt: number };
  'launch.outcome': { n: number; state: 'launched' | 'failed'; instances: readonly string[]; code?: string; message?: string };
  'vm.requested': { vmType: string; zone?: string };
  'vm.pending': Record<string, never>;
  'vm.booting': Record<string, never>;
  'vm.preparing': { detail?: string };
  'vm.idle': Record<string, never>;
  'vm.busy': Record<string, never>;
  'vm.ending': Record<string, never>;
  'vm.gone': Record<string, never>;
  'environment.progress': { detail: string };
  'task.started': Record<string, never>;
  'task.ended': { exit: Exit };
  /** `text` is the bytes as UTF-8 (an invalid byte becomes U+FFFD); `base64` holds the exact bytes when they differ. */
  /** `base64` when the text does not hold the exact bytes; `bytes`, which are not part of the JSON, in the process that read them. */
  output: { stream: LogStream; text: string; base64?: string | undefined; bytes?: Uint8Array };
  notice: Notice;
  'job.outcome': Outcome;
  'job.ended': { vms: number; endedAt: number };
  bill: Bill;
}

export type EventType = keyof EventData;

/** One schema for library events, `--json` lines, Lambda logs and EventBridge. `at` is ISO 8601 UTC. */
export type RawcloudEvent<T extends EventType = EventType> = {
  [K in T]: {
    readonly v: 1;
    readonly at: string;
    readonly job: string;
    readonly vm?: string;
    readonly task?: number;
    readonly type: K;
    readonly data: EventData[K];
  };
}[T];

export type { JobState, TaskState, VmState };

/** The exact bytes of an `output` event. */
export function outputBytes(data: EventData['output']): Uint8Array {
  // Not taken apart: text and base64 are made when they are asked for.
  if (data.bytes) return data.bytes;
  return data.base64 === undefined ? Buffer.from(data.text, 'utf8') : Buffer.from(data.base64, 'base64');
}
