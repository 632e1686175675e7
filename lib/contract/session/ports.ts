/** How a data channel is reached, once. */
export interface SessionAccess {
  readonly id: string;
  readonly url: string;
  readonly token: string;
}

/** A connection to a data channel. */
export interface SessionSocket {
  send(data: Uint8Array | string): void;
  /** What comes waits outside. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface SessionSocketListener {
  onMessage(bytes: Uint8Array): void;
  /** The connection is gone, whoever ended it. */
  onClose(): void;
}

/** Session Manager. */
export interface SessionManager {
  /** @throws E_EXEC_UNREACHABLE when the SSM agent of the VM is not heard of */
  start(target: string, document: string, parameters: Readonly<Record<string, string>>): Promise<SessionAccess>;
  /** A new way to a session whose connection was lost; undefined when the session is over. */
  resume(id: string): Promise<SessionAccess | undefined>;
  /** Ends it and what runs in it. One that is over is no error. */
  terminate(id: string): Promise<void>;
  connect(access: SessionAccess, listener: SessionSocketListener): Promise<SessionSocket>;
}
