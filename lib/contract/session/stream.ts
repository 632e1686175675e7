import { randomUUID } from 'node:crypto';
import type { Clock } from '../ports';
import { acknowledged, acknowledgement, decodeMessage, encodeMessage, MESSAGE_TYPES } from './message';
import type { SessionMessage } from './message';

export interface SessionStreamOptions {
  readonly side: 'client' | 'agent';
  readonly clock: Clock;
  /** Sends over the connection there is; without one it does nothing: what was not acknowledged is sent again. */
  readonly transmit: (bytes: Uint8Array) => void;
  /** What the other side sent, in its order and once. */
  readonly onData: (payloadType: number, payload: Uint8Array) => void;
  /** Anything that belongs to no stream, as `channel_closed`. */
  readonly onOther?: (message: SessionMessage) => void;
  /** A message has not been acknowledged for {@link GIVE_UP_MS} of connection. */
  readonly onGivenUp: () => void;
}

/** Source: aws/session-manager-plugin, src/config: payload, first and longest wait for an acknowledgement, end of patience. */
export const PAYLOAD_BYTES = 1024;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 1_000;
const GIVE_UP_MS = 5 * 60_000;
const LOOK_MS = 100;
/** On their way at once: more than a round trip takes, and little to send again. */
const WINDOW = 64;
/** Kept of what came too early. */
const EARLY = 10_000;

interface Sent {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  at: number;
  tries: number;
}

/**
 * One side of a data channel: numbers what it sends, sends again what is not acknowledged, acknowledges what comes and puts
 * it in order. It outlives its connection: see {@link resendAll}.
 */
export class SessionStream {
  readonly #options: SessionStreamOptions;
  readonly #unacknowledged = new Map<number, Sent>();
  readonly #early = new Map<number, SessionMessage>();
  readonly #over = new AbortController();
  readonly #waiting = new Set<() => void>();
  #next = 0;
  #expected = 0;
  #waitMs = FIRST_WAIT_MS;
  #roundTripMs = LOOK_MS;
  #variationMs = 0;
  #isWatching = false;
  #isPaused = false;

  constructor(options: SessionStreamOptions) {
    this.#options = options;
  }

  /** Sends it once there is room; larger payloads are cut. Rejects when the stream is closed first. */
  async send(payloadType: number, payload: Uint8Array): Promise<void> {
    for (let at = 0; at < Math.max(payload.byteLength, 1); at += PAYLOAD_BYTES) {
      while (this.#unacknowledged.size >= WINDOW) await this.#change();
      this.#over.signal.throwIfAborted();
      this.#transmit(payloadType, payload.subarray(at, at + PAYLOAD_BYTES));
    }
  }

  /** Resolves when everything is acknowledged, or the stream is closed. */
  async settled(): Promise<void> {
    while (this.#unacknowledged.size > 0 && !this.#over.signal.aborted) await this.#change();
  }

  /** Takes what came over the connection. What is damaged counts as lost. */
  receive(bytes: Uint8Array): void {
    const message = decodeMessage(bytes);
    if (!message || this.#over.signal.aborted) return;
    const { side, onOther } = this.#options;
    if (message.type === MESSAGE_TYPES.acknowledge) this.#acknowledged(acknowledged(message));
    else if (message.type === (side === 'client' ? MESSAGE_TYPES.output : MESSAGE_TYPES.input)) this.#data(message);
    else onOther?.(message);
  }

  /** Nothing is sent again while there is no connection. */
  pause(): void {
    this.#isPaused = true;
  }

  /** There is another connection: all that may have been lost goes over it. */
  resendAll(): void {
    this.#isPaused = false;
    for (const sent of this.#unacknowledged.values()) this.#again(sent, 0);
  }

  close(): void {
    this.#over.abort(new Error('the session is over'));
    this.#changed();
  }

  #transmit(payloadType: number, payload: Uint8Array): void {
    const { side, clock, transmit } = this.#options;
    const now = clock.now();
    const type = side === 'client' ? MESSAGE_TYPES.input : MESSAGE_TYPES.output;
    const sequence = this.#next++;
    const flags = side === 'agent' && sequence === 0 ? 1 : 0;
    const bytes = encodeMessage({ type, sequence, flags, id: randomUUID(), created: now, payloadType, payload });
    this.#unacknowledged.set(sequence, { sequence, bytes, at: now, tries: 0 });
    transmit(bytes);
    void this.#watch();
  }

  #data(message: SessionMessage): void {
    const { clock, transmit } = this.#options;
    const isEarly = message.sequence > this.#expected;
    // Not acknowledged, it comes again.
    if (isEarly && this.#early.size >= EARLY) return;
    transmit(acknowledgement(message, clock.now()));
    if (message.sequence < this.#expected) return;
    this.#early.set(message.sequence, message);
    for (let next = this.#early.get(this.#expected); next; next = this.#early.get(this.#expected)) {
      this.#early.delete(this.#expected++);
      this.#options.onData(next.payloadType, next.payload);
    }
  }

  #acknowledged(sequence: number | undefined): void {
    const sent = sequence === undefined ? undefined : this.#unacknowledged.get(sequence);
    if (!sent) return;
    this.#unacknowledged.delete(sent.sequence);
    if (sent.tries === 0) this.#measure(this.#options.clock.now() - sent.at);
    this.#changed();
  }

  /** As TCP does. Source: RFC 6298. */
  #measure(roundTripMs: number): void {
    this.#variationMs += (Math.abs(this.#roundTripMs - roundTripMs) - this.#variationMs) / 4;
    this.#roundTripMs += (roundTripMs - this.#roundTripMs) / 8;
    this.#waitMs = Math.min(LONGEST_WAIT_MS, Math.max(FIRST_WAIT_MS, this.#roundTripMs + 4 * this.#variationMs));
  }

  /** While anything is unacknowledged: sends the oldest again when its time has come. */
  async #watch(): Promise<void> {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const { clock, onGivenUp } = this.#options;
    while (this.#unacknowledged.size > 0 && !this.#over.signal.aborted) {
      await clock.sleep(LOOK_MS, this.#over.signal).catch(() => undefined);
      const [oldest] = this.#unacknowledged.values();
      if (!oldest || this.#isPaused || this.#over.signal.aborted || clock.now() - oldest.at < this.#waitMs) continue;
      if (oldest.tries * LONGEST_WAIT_MS >= GIVE_UP_MS) onGivenUp();
      this.#again(oldest, oldest.tries + 1);
    }
    this.#isWatching = false;
  }

  #again(sent: Sent, tries: number): void {
    sent.at = this.#options.clock.now();
    sent.tries = tries;
    this.#options.transmit(sent.bytes);
  }

  #change(): Promise<void> {
    this.#over.signal.throwIfAborted();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #changed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
