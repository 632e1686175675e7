import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import * as v from 'valibot';
import { execDocument, execDocumentName, DEFAULT_SCAFFOLD_NAME, mapBounded } from '../../contract';
import type { MachineEntrance } from '../../contract';
import type { InstanceRecord } from '../ec2/records';
import { ServiceError } from '../service';
import type { ServiceRequest } from '../service';
import { commandsOf, parseDocument } from './document';
import { LocalSession } from './session';
import { openTerminal } from './terminal';

export interface SessionsOptions {
  readonly account: string;
  readonly instance: (id: string) => InstanceRecord | undefined;
  /** How to get into a machine; undefined when its driver knows no way. */
  readonly entrance: (instance: InstanceRecord) => Promise<MachineEntrance | undefined>;
  /** Whether the VM's role lets the SSM agent register. */
  readonly mayRegister: (instance: InstanceRecord) => boolean;
  /** @param tags of the resource */
  readonly refusal: (
    request: ServiceRequest,
    action: string,
    resource: string,
    tags: Readonly<Record<string, string>>,
  ) => string | undefined;
  readonly endpointUrl: () => string;
}

export const StartInput = v.object({
  Target: v.string(),
  DocumentName: v.optional(v.string(), 'SSM-SessionManagerRunShell'),
  Parameters: v.optional(v.record(v.string(), v.array(v.string())), {}),
  Reason: v.optional(v.string()),
});
export const SessionInput = v.object({ SessionId: v.string() });

const PATH = /^\/v1\/data-channel\/([\w.@-]+)/;

/** Session Manager of the local cloud: one document, that of the scaffolding, and an SSM agent on every machine that lets one in. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, LocalSession>();
  readonly #document = parseDocument(execDocument());
  /** Machines whose agent is not heard of. */
  readonly #offline = new Set<string>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  async start(request: ServiceRequest, { Target, DocumentName, Parameters }: v.InferOutput<typeof StartInput>): Promise<object> {
    const { account, refusal, entrance, mayRegister } = this.#options;
    const { region, principal } = request;
    const document = `arn:aws:ssm:${region}:${account}:document/${DocumentName}`;
    const instance = this.#options.instance(Target);
    for (const [resource, tags] of [
      [`arn:aws:ec2:${region}:${account}:instance/${Target}`, instance?.tags ?? {}],
      [document, {}],
    ] as const) {
      const why = refusal(request, 'StartSession', resource, tags);
      if (why !== undefined) throw new ServiceError(400, 'AccessDeniedException', why);
    }
    if (DocumentName !== execDocumentName(DEFAULT_SCAFFOLD_NAME)) {
      throw new ServiceError(400, 'InvalidDocument', `Document with name ${DocumentName} does not exist.`);
    }
    const commands = commandsOf(this.#document, Parameters);
    const isOn = instance?.state === 'running' && !this.#offline.has(Target) && mayRegister(instance);
    const way = isOn ? await entrance(instance) : undefined;
    if (!way) throw new ServiceError(400, 'TargetNotConnected', `${Target} is not connected.`);
    const id = `${principal.arn.split('/').at(-1)}-${randomBytes(9).toString('hex')}`;
    const over = (ended: LocalSession): void => void this.#sessions.delete(ended.id);
    const session = new LocalSession(id, Target, principal.userId, () => openTerminal(way, commands), over);
    this.#sessions.set(id, session);
    return this.#access(session);
  }

  resume(request: ServiceRequest, { SessionId }: v.InferOutput<typeof SessionInput>): object {
    const session = this.#own(request, 'ResumeSession', SessionId);
    if (!session) throw new ServiceError(400, 'DoesNotExistException', `Session ${SessionId} does not exist.`);
    session.renew();
    return this.#access(session);
  }

  terminate(request: ServiceRequest, { SessionId }: v.InferOutput<typeof SessionInput>): object {
    this.#own(request, 'TerminateSession', SessionId)?.end();
    return { SessionId };
  }

  /** A request to become a data channel. @returns whether it is one */
  async upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<boolean> {
    const [, id] = PATH.exec(req.url ?? '') ?? [];
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (!session) return false;
    const { acceptWebSocket } = await import('./websocket.js');
    acceptWebSocket(req, socket, head, (channel) => session.connect(channel));
    return true;
  }

  /** Ids of those that are not over. */
  open(): string[] {
    return [...this.#sessions.keys()];
  }

  /** Cuts all clients off, as a network that breaks; they may come back. */
  cut(): void {
    for (const session of this.#sessions.values()) session.cut();
  }

  /** Ends all, as the service does when it is tired of them. */
  end(why: string): void {
    for (const session of this.#sessions.values()) session.end(why);
  }

  /** The SSM agent of a machine is not heard of, as on an image without one. */
  offline(instanceId: string, isOffline = true): void {
    if (isOffline) this.#offline.add(instanceId);
    else this.#offline.delete(instanceId);
  }

  async close(): Promise<void> {
    const all = [...this.#sessions.values()];
    for (const session of all) session.end('the local cloud ends');
    await mapBounded(all, 16, (session) => session.exited);
  }

  /** @throws AccessDeniedException for somebody else's */
  #own(request: ServiceRequest, operation: string, id: string): LocalSession | undefined {
    const { account, refusal } = this.#options;
    const session = this.#sessions.get(id);
    const why = refusal(request, operation, `arn:aws:ssm:${request.region}:${account}:session/${id}`, {
      // Systems Manager gives each session the tag of who started it.
      ...(session ? { 'aws:ssmmessages:session-id': session.owner } : {}),
    });
    if (why === undefined && (!session || session.owner === request.principal.userId)) return session;
    throw new ServiceError(400, 'AccessDeniedException', why ?? 'the session is of somebody else');
  }

  #access({ id, token }: LocalSession): object {
    const url = `${this.#options.endpointUrl().replace(/^http/, 'ws')}/v1/data-channel/${id}?role=publish_subscribe`;
    return { SessionId: id, TokenValue: token, StreamUrl: url };
  }
}
