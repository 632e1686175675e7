import type { Client, ConnectOptions } from '../lib/runtime/api';
import type { Deployment } from '../lib/runtime/deploy/open';
import type { Destruction } from '../lib/runtime/destroy/open';
import type { Doctor } from '../lib/runtime/doctor/open';
import type { EnvironmentHere } from '../lib/runtime/environment/here';
import type { Exec } from '../lib/runtime/exec/open';
import type { Clock } from '../lib/contract';

/** A stream to write to, and what is known of the terminal behind it. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Standard input. Character devices (a terminal, the null device) hold nothing for a job. */
export interface StandardInput {
  readonly kind: 'pipe' | 'file' | 'socket' | 'none';
  readonly isTTY: boolean;
  /** Its bytes to the end; an aborted signal ends the iteration with an error. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** One line typed at the terminal; `prompt` goes to stderr. '' at the end of input. */
  ask(prompt: string, signal: AbortSignal): Promise<string>;
}

/** The terminal that the command was typed in, when input and output are both it. */
export interface Terminal {
  /** From now on keys are bytes and nothing else. @returns what undoes it; it is undone at the process's end in any case */
  makeRaw(): () => void;
  size(): { readonly columns: number; readonly rows: number };
  /** @returns what undoes it */
  onResize(listener: () => void): () => void;
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface Signals {
  /** From now on these signals go to the listener instead of ending the process. @returns what undoes it */
  listen(listener: (signal: SignalName) => void): () => void;
}

/** What the local cloud says of itself. */
export interface LocalCloudStatus {
  readonly running: boolean;
  readonly directory: string;
  readonly endpoint?: string;
  readonly pid?: number;
  /** What new VMs are: `namespace` or `process`. */
  readonly driver?: string;
  /** Why they are processes, when namespaces were to be had if possible. */
  readonly driverWhy?: string;
  /** VMs that are on. */
  readonly vms?: number;
}

/** `rawcloud local …`; carried out by lib/local. */
export interface LocalCloudControl {
  /** Starts it unless it runs. @param driver what VMs shall be: auto, namespace, process */
  start(driver?: string): Promise<LocalCloudStatus>;
  /** Ends it and its VMs. @returns false when it did not run */
  stop(): Promise<boolean>;
  status(): Promise<LocalCloudStatus>;
  /** Ends it and deletes its state. */
  reset(): Promise<void>;
  /** Is the local cloud until the signal aborts. */
  serve(signal: AbortSignal): Promise<void>;
}

/** All the CLI touches of the world; `process-io.ts` makes it from the process, tests make their own. */
export interface CliIo {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: StandardInput;
  /** @default - input or output is none */
  readonly terminal?: Terminal | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly signals: Signals;
  connect(options: ConnectOptions): Promise<Client>;
  /** What needs neither account nor network. */
  environmentHere(options: ConnectOptions): Promise<EnvironmentHere>;
  openDoctor(options: ConnectOptions): Promise<Doctor>;
  openExec(options: ConnectOptions): Promise<Exec>;
  openDeployment(options: ConnectOptions): Promise<Deployment>;
  openDestruction(options: ConnectOptions): Promise<Destruction>;
  localCloud(): Promise<LocalCloudControl>;
}
