import { randomBytes } from 'node:crypto';
import { systemClock } from '../../contract';
import { channelClosed, PAYLOADS } from '../../contract/session/message';
import { SessionStream } from '../../contract/session/stream';
import type { MachineTerminal } from './terminal';
import type { ChannelListener, ChannelSocket } from './websocket';

/** WebSocket's code for an end in order. */
const IN_ORDER = 1000;
/** For a connection that nobody expects. */
const REFUSED = 1008;

/**
 * A session: the service between client and agent, and the agent itself, which runs the document's words in a terminal of the
 * machine. Life: started by StartSession, runs from the first connection with its token on; a client that is cut off may come
 * back with a token of ResumeSession; ends when the words have ended or TerminateSession says so.
 */
export class LocalSession {
  readonly #stream: SessionStream;
  #token = newToken();
  #channel: ChannelSocket | undefined;
  #terminal: MachineTerminal | undefined;
  #isOver = false;
  /** What the terminal gets, in its order. */
  #typed: Promise<void> = Promise.resolve();

  constructor(
    readonly id: string,
    readonly target: string,
    readonly owner: string,
    private readonly start: () => MachineTerminal,
    private readonly onOver: (session: LocalSession) => void,
  ) {
    this.#stream = new SessionStream({
      side: 'agent',
      clock: systemClock,
      transmit: (bytes) => this.#channel?.send(bytes),
      onData: (type, payload) => this.#take(type, payload),
      onGivenUp: () => this.end('the client does not acknowledge'),
    });
    // Nobody is there yet.
    this.#stream.pause();
  }

  get token(): string {
    return this.#token;
  }

  /** A token for the next connection; the last one is of no more use. */
  renew(): string {
    this.#token = newToken();
    return this.#token;
  }

  /** A connection. Its first message says that it is a client that knows the token. */
  connect(channel: ChannelSocket): ChannelListener {
    return {
      onMessage: (data, isText) => {
        if (isText) this.#open(channel, data);
        else if (this.#channel === channel) this.#stream.receive(data);
      },
      onClose: () => {
        if (this.#channel !== channel) return;
        this.#channel = undefined;
        this.#stream.pause();
      },
    };
  }

  /** Cuts the client off. */
  cut(): void {
    this.#channel?.cut();
  }

  /** Ends it, and what runs in it. @param why told to the client; '' when it ended in order */
  end(why = ''): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.close();
    this.#terminal?.kill();
    this.#channel?.send(channelClosed(this.id, why, systemClock.now()));
    this.#channel?.close(IN_ORDER);
    this.onOver(this);
  }

  get exited(): Promise<void> {
    return this.#terminal?.exited ?? Promise.resolve();
  }

  #open(channel: ChannelSocket, data: Uint8Array): void {
    if (this.#isOver || tokenIn(data) !== this.#token) return channel.close(REFUSED);
    this.#channel = channel;
    this.#stream.resendAll();
    if (this.#terminal) return;
    const terminal = this.start();
    this.#terminal = terminal;
    void this.#ship(terminal);
  }

  async #ship(terminal: MachineTerminal): Promise<void> {
    try {
      for await (const bytes of terminal.output) await this.#stream.send(PAYLOADS.data, bytes);
      await terminal.exited;
      await this.#stream.settled();
      this.end();
    } catch {
      // The stream was closed: the session is over.
    }
  }

  #take(type: number, payload: Uint8Array): void {
    const terminal = this.#terminal!;
    if (type === PAYLOADS.data) this.#typed = this.#typed.then(() => terminal.input(payload));
    const size = type === PAYLOADS.size ? sizeIn(payload) : undefined;
    if (size) terminal.resize(size.cols, size.rows);
    if (type === PAYLOADS.flag) this.end();
  }
}

function newToken(): string {
  return randomBytes(48).toString('base64');
}

function tokenIn(data: Uint8Array): unknown {
  return fieldsOf(data)['TokenValue'];
}

function sizeIn(payload: Uint8Array): { readonly cols: number; readonly rows: number } | undefined {
  const { cols, rows } = fieldsOf(payload);
  return typeof cols === 'number' && typeof rows === 'number' ? { cols, rows } : undefined;
}

function fieldsOf(data: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}
