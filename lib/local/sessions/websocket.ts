import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

/** A connection of a client to its data channel. */
export interface ChannelSocket {
  send(bytes: Uint8Array): void;
  /** With one of WebSocket's codes. */
  close(code: number): void;
  /** As a network that breaks. */
  cut(): void;
}

export interface ChannelListener {
  onMessage(data: Uint8Array, isText: boolean): void;
  onClose(): void;
}

/** Makes a request a WebSocket. In a file of its own in the build, so that who needs none does not load it. */
export function acceptWebSocket(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  listen: (channel: ChannelSocket) => ChannelListener,
): void {
  const server = new WebSocketServer({ noServer: true, clientTracking: false });
  server.handleUpgrade(req, socket, head, (ws) => {
    const listener = listen({
      send: (bytes) => {
        if (ws.readyState === ws.OPEN) ws.send(bytes);
      },
      close: (code) => ws.close(code),
      cut: () => ws.terminate(),
    });
    ws.on('message', (data: Buffer, isBinary: boolean) => listener.onMessage(data, !isBinary));
    ws.on('error', () => undefined);
    ws.on('close', () => listener.onClose());
  });
}
