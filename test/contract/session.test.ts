import fc from 'fast-check';
import {
  acknowledged,
  acknowledgement,
  channelClosed,
  closedBecause,
  decodeMessage,
  encodeMessage,
  plain,
} from '../../lib/contract/session/message';
import type { SessionMessage } from '../../lib/contract/session/message';
import { PAYLOAD_BYTES, SessionStream } from '../../lib/contract/session/stream';
import { FakeClock } from '../agent/fake-clock';

const NOW = Date.parse('2026-11-28T12:00:00Z');

const messages: fc.Arbitrary<SessionMessage> = fc.record({
  type: fc.constantFrom('input_stream_data', 'output_stream_data', 'acknowledge', 'channel_closed'),
  sequence: fc.nat(),
  flags: fc.nat(3),
  id: fc.uuid(),
  created: fc.nat(),
  payloadType: fc.nat(12),
  payload: fc.uint8Array({ maxLength: 3000 }),
});

describe('a message of the data channel', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const read = decodeMessage(encodeMessage(message));
        expect({ ...read, payload: Buffer.from(read!.payload) }).toEqual({ ...message, payload: Buffer.from(message.payload) });
      }),
    );
  });

  test('stands in its bytes where the published clients look for it', () => {
    const id = '00112233-4455-6677-8899-aabbccddeeff';
    const bytes = Buffer.from(
      encodeMessage({ ...plain('input_stream_data', NOW), id, sequence: 7, flags: 1, payloadType: 1, payload: Buffer.from('ls\r') }),
    );
    expect(bytes.readUInt32BE(0)).toBe(116);
    expect(bytes.toString('latin1', 4, 36)).toBe('input_stream_data'.padEnd(32));
    expect(bytes.readUInt32BE(36)).toBe(1);
    expect(bytes.readBigUInt64BE(40)).toBe(BigInt(NOW));
    expect(bytes.readBigInt64BE(48)).toBe(7n);
    expect(bytes.readBigUInt64BE(56)).toBe(1n);
    expect(bytes.toString('hex', 64, 80)).toBe('8899aabbccddeeff0011223344556677');
    expect(bytes.readUInt32BE(112)).toBe(1);
    expect(bytes.readUInt32BE(116)).toBe(3);
    expect(bytes.toString('latin1', 120)).toBe('ls\r');
  });

  test('fails to be read when anything of it is damaged or missing', () => {
    fc.assert(
      fc.property(messages, fc.nat(), (message, at) => {
        const whole = encodeMessage({ ...message, payload: Buffer.concat([message.payload, Buffer.from('x')]) });
        expect(decodeMessage(whole.subarray(0, at % whole.byteLength))).toBeUndefined();
        const spoilt = Buffer.from(whole);
        const last = spoilt.byteLength - 1 - (at % (message.payload.byteLength + 1));
        spoilt[last]! ^= 1;
        expect(decodeMessage(spoilt)).toBeUndefined();
      }),
    );
  });

  test('tells what it acknowledges, and why a channel was closed', () => {
    const ack = decodeMessage(acknowledgement({ ...plain('output_stream_data', NOW), sequence: 12 }, NOW))!;
    expect([ack.type, acknowledged(ack)]).toEqual(['acknowledge', 12]);
    expect(acknowledged({ ...ack, payload: Buffer.from('no JSON') })).toBeUndefined();
    expect(closedBecause(decodeMessage(channelClosed('s-1', 'idle for too long', NOW))!)).toBe('idle for too long');
  });
});

/** What a network does with a message. */
type Fate = 'pass' | 'lose' | 'twice' | 'late' | 'damage';

/** Client and agent over a network that does what it is told. */
class Line {
  readonly clock = new FakeClock();
  readonly got: Buffer[] = [];
  readonly client: SessionStream;
  readonly agent: SessionStream;
  givenUp = 0;
  #n = 0;

  constructor(private readonly fates: readonly Fate[]) {
    const { clock } = this;
    const onGivenUp = (): void => void this.givenUp++;
    const toAgent = (bytes: Uint8Array): void => this.#carry(bytes, (b) => this.agent.receive(b));
    const toClient = (bytes: Uint8Array): void => this.#carry(bytes, (b) => this.client.receive(b));
    this.client = new SessionStream({ side: 'client', clock, transmit: toAgent, onData: () => undefined, onGivenUp });
    const take = (_type: number, payload: Uint8Array): void => void this.got.push(Buffer.from(payload));
    this.agent = new SessionStream({ side: 'agent', clock, transmit: toClient, onData: take, onGivenUp });
  }

  #carry(bytes: Uint8Array, arrive: (bytes: Uint8Array) => void): void {
    const fate = this.fates[this.#n++] ?? 'pass';
    const later = (ms: number): void => void this.clock.sleep(ms).then(() => arrive(bytes));
    if (fate === 'lose') return;
    if (fate === 'damage') {
      const spoilt = Buffer.from(bytes);
      spoilt[spoilt.byteLength - 1]! ^= 255;
      return arrive(spoilt);
    }
    later(fate === 'late' ? 450 : 5);
    if (fate === 'twice') later(60);
  }

  close(): void {
    this.client.close();
    this.agent.close();
  }
}

describe('the stream over a data channel', () => {
  const fates = fc.array(fc.constantFrom<Fate>('pass', 'lose', 'twice', 'late', 'damage'), { maxLength: 120 });

  test('brings everything in its order and once, whatever the network loses, repeats, delays or spoils', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 2500 }), { minLength: 1, maxLength: 40 }),
        fates,
        async (chunks, plan) => {
          const line = new Line(plan);
          const sent = (async () => {
            for (const chunk of chunks) await line.client.send(1, chunk);
            await line.client.settled();
          })();
          let isSent = false;
          void sent.then(() => (isSent = true));
          for (let s = 0; s < 300 && !isSent; s++) await line.clock.advance(1000);
          line.close();
          expect(Buffer.concat(line.got).equals(Buffer.concat(chunks))).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('goes on after a connection that was lost', async () => {
    const line = new Line(['lose', 'lose']);
    await line.client.send(1, Buffer.from('a'));
    line.client.pause();
    await line.client.send(1, Buffer.from('b'));
    await line.clock.advance(60_000);
    expect(line.got).toEqual([]);
    line.client.resendAll();
    await line.clock.advance(1000);
    line.close();
    expect(Buffer.concat(line.got).toString()).toBe('ab');
  });

  test('sends no more than the other side has acknowledged, and fails who waits when it is closed', async () => {
    const line = new Line(Array.from({ length: 1000 }, () => 'lose'));
    const sending = line.client.send(1, Buffer.alloc(100 * PAYLOAD_BYTES));
    await line.clock.advance(100);
    line.close();
    await expect(sending).rejects.toThrow('the session is over');
  });

  test('gives up on a side that never acknowledges', async () => {
    const line = new Line(Array.from({ length: 10_000 }, () => 'lose'));
    await line.client.send(1, Buffer.from('a'));
    await line.clock.advance(10 * 60_000);
    line.close();
    expect(line.givenUp).toBeGreaterThan(0);
  });
});
