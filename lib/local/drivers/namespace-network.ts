import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket, Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { RawcloudError } from '../../contract';
import { mayAskMetadata } from './namespace-peer';
import { destinationOf, listenersOf, NAME_SERVER } from './namespace-addresses';
import type { Destination, NetworkMap } from './namespace-addresses';

/** The network of one machine, as long as the local cloud serves it. */
export interface MachineNetwork {
  close(): void;
}

/**
 * Opens sockets in the network that it is started in and hands them to its parent, who serves them from its own network.
 * So nothing stands between and nothing has to run in there.
 */
const HELPER = `
const { createServer } = require('node:net'), { createSocket } = require('node:dgram');
const { listeners, nameServer } = JSON.parse(process.argv[1]);
const failed = (error) => { console.error(error.message); process.exit(1); };
for (const { host, port } of listeners) {
  const server = createServer().on('error', failed).listen(port, host, 511, () => process.send('listener', server._handle));
}
const socket = createSocket('udp4').on('error', failed).bind(53, nameServer, () => process.send('names', socket));
`;

/**
 * Serves the network of the machine whose supervisor is `pid`. It can be done anew for a machine that lives on.
 * @throws E_LOCAL_CLOUD
 */
export async function openNetwork(pid: number, map: NetworkMap): Promise<MachineNetwork> {
  const listeners = listenersOf(map);
  const helper = spawn(
    'nsenter',
    [
      ...[`--target=${pid}`, '--user', '--net', '--preserve-credentials', '--', process.execPath, '-e', HELPER, '--'],
      JSON.stringify({ listeners, nameServer: NAME_SERVER }),
    ],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: { PATH: process.env['PATH'] } },
  );
  const network = new Forwarder(pid, map);
  try {
    await receive(helper, listeners.length + 1, network);
    return network;
  } catch (error) {
    network.close();
    throw error;
  } finally {
    if (helper.exitCode === null && helper.signalCode === null) {
      const ended = once(helper, 'exit');
      helper.kill('SIGKILL');
      await ended;
    }
  }
}

function receive(helper: ChildProcess, count: number, network: Forwarder): Promise<void> {
  return new Promise((resolve, reject) => {
    let [left, said] = [count, ''];
    helper.stderr!.on('data', (data: Buffer) => (said += data.toString()));
    helper.on('message', (_kind, handle) => {
      if (handle instanceof DatagramSocket) network.answerNames(handle);
      else network.listen(handle);
      if (--left === 0) resolve();
    });
    helper.once('error', reject);
    helper.once('close', () =>
      reject(new RawcloudError('E_LOCAL_CLOUD', `a machine's network could not be served: ${said.trim() || 'no socket came'}`)),
    );
  });
}

/** At most so many name questions of a machine wait for their answers; the oldest is given up. */
const QUESTIONS = 64;

class Forwarder implements MachineNetwork {
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Socket>();
  readonly #names: DatagramSocket[] = [];
  #questions: DatagramSocket[] = [];

  /** @param pid a process of the machine's network */
  constructor(
    private readonly pid: number,
    private readonly map: NetworkMap,
  ) {}

  /** @param handle a listening socket of the machine's network */
  listen(handle: unknown): void {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.#carry(socket));
    this.#servers.push(server.listen(handle));
  }

  answerNames(socket: DatagramSocket): void {
    this.#names.push(socket);
    socket.on('error', () => undefined);
    socket.on('message', (question, { port, address }) => this.#ask(question, (answer) => socket.send(answer, port, address)));
  }

  close(): void {
    for (const server of this.#servers.splice(0)) server.close();
    for (const socket of this.#connections) socket.destroy();
    for (const socket of [...this.#names.splice(0), ...this.#questions.splice(0)]) socket.close();
  }

  #carry(from: Socket): void {
    const { localAddress: host = '', localPort: port = 0 } = from;
    const target = destinationOf({ host, port }, this.map);
    if (!target || (target === this.map.imds && !mayAskMetadata(this.pid, from))) return void from.resetAndDestroy();
    const to = connect({ ...target, allowHalfOpen: true });
    this.#watch(from, to);
    this.#watch(to, from);
    to.once('connect', () => {
      from.pipe(to);
      to.pipe(from);
    });
  }

  /** The end of one by an error is the end of the other by an error. */
  #watch(socket: Socket, other: Socket): void {
    this.#connections.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => other.resetAndDestroy());
    socket.on('close', () => this.#connections.delete(socket));
  }

  #ask(question: Uint8Array, answer: (bytes: Uint8Array) => void): void {
    const { host, port }: Destination = this.map.nameServer;
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    this.#questions.push(socket);
    if (this.#questions.length > QUESTIONS) this.#questions.shift()!.close();
    const over = (): void => {
      if (!this.#questions.includes(socket)) return;
      this.#questions = this.#questions.filter((s) => s !== socket);
      socket.close();
    };
    socket.once('error', over);
    socket.once('message', (bytes) => {
      over();
      answer(bytes);
    });
    socket.send(question, port, host);
  }
}
