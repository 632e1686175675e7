import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { decodeJson, encodeJson, RawcloudError } from '../contract';
import type { PolicyStatement } from '../contract';

const Texts = v.union([v.string(), v.array(v.string())]);

/** A statement of an identity policy, as the policy language has it. */
const StatementSchema = v.strictObject({
  Sid: v.optional(v.string(), ''),
  Effect: v.picklist(['Allow', 'Deny']),
  Action: Texts,
  Resource: Texts,
  Condition: v.optional(v.record(v.string(), v.record(v.string(), Texts))),
});

/** A role to make or to change; an instance profile of the same name goes with it. */
export const RoleInputSchema = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[\w+=,.@-]{1,64}$/)),
  statements: v.array(StatementSchema),
  /** Whether the bucket's policy counts it among the roles of the scaffolding's VMs. */
  ofScaffold: v.optional(v.boolean(), true),
});
export interface RoleInput {
  readonly name: string;
  readonly statements: readonly (Omit<PolicyStatement, 'Sid' | 'Principal'> & { readonly Sid?: string })[];
  readonly ofScaffold?: boolean;
}

const RoleSchema = v.object({ ...RoleInputSchema.entries, id: v.string() });
const FileSchema = v.object({ v: v.literal(1), roles: v.array(RoleSchema) });

/** A role that instances carry. */
export interface VmRole {
  readonly name: string;
  /** Unique id, `AROA…`: the first half of `aws:userid`. */
  readonly id: string;
  readonly statements: readonly PolicyStatement[];
  readonly ofScaffold: boolean;
}

export interface RolesOptions {
  /** JSON file that holds all but the scaffolding's own over a restart. */
  readonly file: string;
  readonly account: string;
  /** Of the scaffolding: what VMs carry that no deployed job has a role for. */
  readonly own: VmRole;
}

/** The roles that instances can carry, each with an instance profile of its name. */
export class Roles {
  readonly #options: RolesOptions;
  readonly #roles: Map<string, VmRole>;

  constructor(options: RolesOptions) {
    const { file, own } = options;
    this.#options = options;
    const stored = existsSync(file) ? decodeJson(FileSchema, readFileSync(file), 'the file of roles').roles : [];
    this.#roles = new Map([...stored.map((role): VmRole => withoutAbsent(role)), own].map((role) => [role.name, role]));
  }

  get(name: string): VmRole | undefined {
    return this.#roles.get(name);
  }

  /** Unique ids of the roles whose VMs have private grants. */
  get idsOfScaffold(): string[] {
    return [...this.#roles.values()].filter((r) => r.ofScaffold).map((r) => r.id);
  }

  /**
   * Makes a role and its instance profile, or changes what a role may do: the id stays.
   * @throws E_LOCAL_CLOUD for the scaffolding's own
   */
  put(input: RoleInput): { readonly arn: string; readonly id: string } {
    const parsed = v.parse(RoleInputSchema, input);
    const { name } = parsed;
    if (name === this.#options.own.name) {
      throw new RawcloudError('E_LOCAL_CLOUD', `the role '${name}' is the scaffolding's own and cannot be changed`);
    }
    const id = this.#roles.get(name)?.id ?? newRoleId();
    this.#roles.set(name, withoutAbsent({ ...parsed, id }));
    this.#save();
    return { arn: `arn:aws:iam::${this.#options.account}:role/${name}`, id };
  }

  #save(): void {
    const { file, own } = this.#options;
    mkdirSync(dirname(file), { recursive: true });
    const draft = `${file}.${process.pid}.new`;
    const roles = [...this.#roles.values()].filter((r) => r.name !== own.name);
    writeFileSync(draft, encodeJson({ v: 1, roles }), { mode: 0o600 });
    renameSync(draft, file);
  }
}

function withoutAbsent({ statements, ...role }: v.InferOutput<typeof RoleSchema>): VmRole {
  return { ...role, statements: statements.map(({ Condition, ...s }) => (Condition ? { ...s, Condition } : s)) };
}

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 21 characters as IAM makes them, marked `LOCAL` so that nobody takes it for a real one. */
export function newRoleId(): string {
  return `AROALOCAL${Array.from({ length: 12 }, () => ID_ALPHABET[randomInt(ID_ALPHABET.length)]).join('')}`;
}
