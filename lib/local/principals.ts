import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { decodeJson, encodeJson, vmUserId } from '../contract';
import type { Principal } from './service';

/** Long-term keys. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Temporary keys. */
export interface SessionKeys extends AccessKey {
  readonly sessionToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Who holds an access key, and what a request signed with it must show. */
export interface KnownKey {
  readonly principal: Principal;
  readonly secretAccessKey: string;
  /** Absent for long-term keys. */
  readonly sessionToken?: string;
  /** Milliseconds since 1970; absent for long-term keys. */
  readonly expiresAt?: number;
}

/** What EC2 hands an instance: six hours. */
const VM_SESSION_S = 6 * 3600;
/** How long an expired session is still known by name, so that its holder hears "expired" and not "unknown". */
const REMEMBERED_MS = 24 * 3_600_000;

const SessionSchema = v.object({
  accessKeyId: v.string(),
  secretAccessKey: v.string(),
  sessionToken: v.string(),
  expiresAt: v.number(),
  /** Absent for sessions of the developer. */
  instanceId: v.optional(v.string()),
  /** Of the instance. @default - the scaffolding's */
  role: v.optional(v.object({ name: v.string(), id: v.string() })),
});
type Session = v.InferOutput<typeof SessionSchema>;
type Role = NonNullable<Session['role']>;

const FileSchema = v.object({
  v: v.literal(1),
  developer: v.object({ accessKeyId: v.string(), secretAccessKey: v.string(), userId: v.string() }),
  sessions: v.array(SessionSchema),
});

export interface PrincipalsOptions {
  /** JSON file (mode 0600) that holds the keys over a restart. */
  readonly file: string;
  readonly account: string;
  /** Name of the scaffolding's VM role. */
  readonly roleName: string;
  /** Its unique id, `AROA…`. */
  readonly roleId: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The two kinds of people of the local cloud: its one developer, and VMs. Keys are random, and valid here only. */
export class Principals {
  readonly #options: PrincipalsOptions;
  readonly #developer: AccessKey & { readonly userId: string };
  readonly #sessions: Map<string, Session>;

  constructor(options: PrincipalsOptions) {
    this.#options = options;
    const stored = existsSync(options.file) ? decodeJson(FileSchema, readFileSync(options.file), 'the file of access keys') : undefined;
    this.#developer = stored?.developer ?? { accessKeyId: randomId('AKIA'), secretAccessKey: randomSecret(), userId: randomId('AIDA') };
    this.#sessions = new Map(stored?.sessions.map((s) => [s.accessKeyId, s]));
    if (!stored) this.#save();
  }

  get developer(): AccessKey {
    const { accessKeyId, secretAccessKey } = this.#developer;
    return { accessKeyId, secretAccessKey };
  }

  /** Keys of a role for one instance, as its IMDS hands them out. @param role @default - the scaffolding's */
  issueForVm(instanceId: string, role?: Role): SessionKeys {
    return this.#issue(VM_SESSION_S, { instanceId, ...(role ? { role: { name: role.name, id: role.id } } : {}) });
  }

  /** Temporary keys of the developer, as GetSessionToken makes them. */
  issueForDeveloper(durationS: number): SessionKeys {
    return this.#issue(durationS, {});
  }

  /** Whose key this is; `undefined` when it was never issued here, or has expired a day ago. */
  find(accessKeyId: string): KnownKey | undefined {
    if (accessKeyId === this.#developer.accessKeyId) {
      return { principal: this.#developerPrincipal(accessKeyId), secretAccessKey: this.#developer.secretAccessKey };
    }
    const session = this.#sessions.get(accessKeyId);
    if (!session) return undefined;
    const { instanceId, role, secretAccessKey, sessionToken, expiresAt } = session;
    const principal = instanceId === undefined ? this.#developerPrincipal(accessKeyId) : this.#vmPrincipal(accessKeyId, instanceId, role);
    return { principal, secretAccessKey, sessionToken, expiresAt };
  }

  #developerPrincipal(accessKeyId: string): Principal {
    const { account } = this.#options;
    return { accessKeyId, account, arn: `arn:aws:iam::${account}:user/developer`, userId: this.#developer.userId, kind: 'developer' };
  }

  #vmPrincipal(accessKeyId: string, instanceId: string, role?: Role): Principal {
    const { account, roleName, roleId } = this.#options;
    const { name, id } = role ?? { name: roleName, id: roleId };
    const arn = `arn:aws:sts::${account}:assumed-role/${name}/${instanceId}`;
    return { accessKeyId, account, arn, userId: vmUserId(id, instanceId), kind: 'vm', role: name };
  }

  #issue(durationS: number, holder: Pick<Session, 'instanceId' | 'role'>): SessionKeys {
    const keys = {
      accessKeyId: randomId('ASIA'),
      secretAccessKey: randomSecret(),
      sessionToken: randomBytes(96).toString('base64'),
      // Whole seconds: that is what the services tell, and nobody may believe in a longer life than they were told.
      expiresAt: Math.floor(this.#options.now() / 1000 + durationS) * 1000,
    };
    this.#sessions.set(keys.accessKeyId, { ...keys, ...holder });
    this.#forgetOld();
    this.#save();
    return keys;
  }

  #forgetOld(): void {
    const oldest = this.#options.now() - REMEMBERED_MS;
    for (const [id, session] of this.#sessions) if (session.expiresAt < oldest) this.#sessions.delete(id);
  }

  #save(): void {
    const { file } = this.#options;
    mkdirSync(dirname(file), { recursive: true });
    const draft = `${file}.${process.pid}.new`;
    writeFileSync(draft, encodeJson({ v: 1, developer: this.#developer, sessions: [...this.#sessions.values()] }), { mode: 0o600 });
    renameSync(draft, file);
  }
}

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A 20 character id as IAM makes them, marked `LOCAL` so that nobody takes it for a real one. */
function randomId(kind: 'AKIA' | 'ASIA' | 'AIDA'): string {
  return `${kind}LOCAL${Array.from(randomBytes(11), (byte) => ID_ALPHABET[byte % 32]).join('')}`;
}

/** 40 characters, as IAM's. */
function randomSecret(): string {
  return randomBytes(30).toString('base64');
}
