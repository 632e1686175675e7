import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { createJsonService } from './json-service';
import type { Policies } from './policy';
import { ServiceError } from './service';
import type { Service, ServiceRequest } from './service';

/** An event as a rule would see it. */
export interface SentEvent {
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** ARN of who sent it. */
  readonly by: string;
}

/** Events kept. */
const KEPT = 1_000;

// Source: EventBridge API reference, PutEvents: 1 to 10 entries; an entry that is not as it must be is told in the answer.
const Entry = v.object({ Source: v.string(), DetailType: v.string(), Detail: v.string(), EventBusName: v.optional(v.string(), 'default') });
const PutEvents = v.object({ Entries: v.pipe(v.array(Entry), v.minLength(1), v.maxLength(10)) });

export interface EventBusOptions {
  readonly account: string;
  readonly policies: Pick<Policies, 'refusal'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** EventBridge's default bus: takes events and keeps the last of them. It has no rules. */
export class LocalEventBus {
  #events: SentEvent[] = [];
  readonly service: Service;

  constructor(private readonly options: EventBusOptions) {
    this.service = createJsonService({
      name: 'events',
      target: 'AWSEvents',
      invalidInput: 'ValidationException',
      // Asked of each entry, whose source is a condition.
      refusal: () => undefined,
      operations: { PutEvents: (input, request) => this.#put(v.parse(PutEvents, input), request) },
    });
  }

  /** The last events, oldest first. */
  events(): readonly SentEvent[] {
    return this.#events;
  }

  #put({ Entries }: v.InferOutput<typeof PutEvents>, request: ServiceRequest): object {
    for (const entry of Entries) this.#check(entry, request);
    const answers = Entries.map((entry) => this.#take(entry, request.principal.arn));
    return { FailedEntryCount: answers.filter((answer) => 'ErrorCode' in answer).length, Entries: answers };
  }

  #check({ Source, DetailType, EventBusName }: v.InferOutput<typeof Entry>, { principal, region }: ServiceRequest): void {
    const bus = `arn:aws:events:${region}:${this.options.account}:event-bus/${EventBusName}`;
    const conditions = { 'events:source': [Source], 'events:detail-type': [DetailType] };
    const refusal = this.options.policies.refusal(principal, 'events:PutEvents', bus, conditions);
    if (refusal !== undefined) throw new ServiceError(400, 'AccessDeniedException', refusal.replaceAll('"', ''));
  }

  #take({ Source: source, DetailType: detailType, Detail }: v.InferOutput<typeof Entry>, by: string): object {
    if (source.startsWith('aws.')) return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
    const detail = parseObject(Detail);
    if (!detail) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    const id = randomUUID();
    this.#events = [...this.#events, { id, source, detailType, detail, at: this.options.now(), by }].slice(-KEPT);
    return { EventId: id };
  }
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
