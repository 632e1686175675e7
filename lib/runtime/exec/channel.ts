import { RawcloudError } from '../../contract';
import type { Clock } from '../../contract';
import { closedBecause, MESSAGE_TYPES, PAYLOADS } from '../../contract/session/message';
import type { SessionAccess, SessionManager, SessionSocket } from '../../contract/session/ports';
import { SessionStream } from '../../contract/session/stream';

export interface ChannelOptions {
  readonly manager: SessionManager;
  readonly clock: Clock;
  /** What the VM's terminal says, in its order. */
  readonly onOutput: (bytes: Uint8Array) => void;
  /** The session has ended: in order, with the service's words, or because the connection could not be had again. */
  readonly onOver: (why: string | RawcloudError) => void;
}

const TRIES = 6;
const FIRST_PAUSE_MS = 250;

/**
 * A session's data channel, as long as the session lives: when the connection breaks it asks for another, and goes on with
 * what was on its way.
 */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #stream: SessionStream;
  readonly #gone = new AbortController();
  #access: SessionAccess;
  #socket: SessionSocket | undefined;
  #isOver = false;

  private constructor(options: ChannelOptions, access: SessionAccess) {
    this.#options = options;
    this.#access = access;
    this.#stream = new SessionStream({
      side: 'client',
      clock: options.clock,
      transmit: (bytes) => this.#socket?.send(bytes),
      onData: (type, payload) => this.#take(type, payload),
      onOther: (message) => message.type === MESSAGE_TYPES.closed && this.#end(closedBecause(message)),
      onGivenUp: () => this.#end(lost('the VM does not acknowledge what is sent')),
    });
  }

  static async open(options: ChannelOptions, access: SessionAccess): Promise<Channel> {
    const channel = new Channel(options, access);
    channel.#socket = await channel.#connect();
    return channel;
  }

  /** Types into the VM's terminal. Resolves when there is room for more; once the session is over it does nothing. */
  async type(bytes: Uint8Array): Promise<void> {
    await this.#send(PAYLOADS.data, bytes);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#send(PAYLOADS.size, Buffer.from(JSON.stringify({ cols: columns, rows })));
  }

  /** Output waits at the other end until {@link resume}. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Leaves; a session that is not over is ended, with what runs in it. */
  async close(): Promise<void> {
    const isOver = this.#isOver;
    this.#isOver = true;
    this.#leave();
    if (!isOver) await this.#options.manager.terminate(this.#access.id);
  }

  async #send(type: number, payload: Uint8Array): Promise<void> {
    try {
      await this.#stream.send(type, payload);
    } catch (error) {
      if (!this.#isOver) throw error;
    }
  }

  #connect(): Promise<SessionSocket> {
    return this.#options.manager.connect(this.#access, {
      onMessage: (bytes) => this.#stream.receive(bytes),
      onClose: () => void this.#reconnect(),
    });
  }

  async #reconnect(): Promise<void> {
    if (this.#isOver) return;
    const { manager, clock } = this.#options;
    this.#socket = undefined;
    this.#stream.pause();
    for (let attempt = 0; attempt < TRIES && !this.#isOver; attempt++) {
      await clock.sleep(FIRST_PAUSE_MS * 2 ** attempt, this.#gone.signal).catch(() => undefined);
      try {
        const access = await manager.resume(this.#access.id);
        if (!access) return this.#end('the session is over');
        this.#access = access;
        const socket = await this.#connect();
        if (this.#isOver) return socket.close();
        this.#socket = socket;
        return this.#stream.resendAll();
      } catch (cause) {
        if (attempt === TRIES - 1) this.#end(lost('it could not be had again', cause));
      }
    }
  }

  #take(type: number, payload: Uint8Array): void {
    if (type === PAYLOADS.data) this.#options.onOutput(payload);
    // Sessions of our document need none; those of an account's own encryption are not spoken here.
    if (type === PAYLOADS.handshakeRequest) void this.#send(PAYLOADS.handshakeResponse, handshake(payload));
  }

  #end(why: string | RawcloudError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave();
    this.#options.onOver(why);
  }

  #leave(): void {
    this.#gone.abort(new Error('the session is over'));
    this.#stream.close();
    this.#socket?.close();
  }
}

function lost(why: string, cause?: unknown): RawcloudError {
  return new RawcloudError('E_EXEC_LOST', `the connection to the VM was lost, and ${why}`, { ...(cause === undefined ? {} : { cause }) });
}

/** Source: aws/session-manager-plugin, src/datachannel: 1 is done, 3 is not known here. */
function handshake(payload: Uint8Array): Uint8Array {
  const asked = JSON.parse(Buffer.from(payload).toString('utf8')) as {
    RequestedClientActions?: readonly { readonly ActionType: string }[];
  };
  const actions = (asked.RequestedClientActions ?? []).map(({ ActionType }) => {
    const isKnown = ActionType === 'SessionType';
    return { ActionType, ActionStatus: isKnown ? 1 : 3, ActionResult: null, Error: isKnown ? '' : `${ActionType} is not supported` };
  });
  return Buffer.from(JSON.stringify({ ClientVersion: '1.2.792.0', ProcessedClientActions: actions, Errors: [] }));
}
