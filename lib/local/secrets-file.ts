import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { decodeJson, encodeJson } from '../contract';

const SecretSchema = v.object({
  arn: v.string(),
  name: v.string(),
  /** Milliseconds since 1970. */
  created: v.number(),
  /** Set when it is to be deleted then; until that it is there but cannot be read. */
  deleted: v.optional(v.number()),
  /** The version AWSCURRENT; there are no others. Absent: the secret has no value yet. */
  current: v.optional(
    v.object({
      id: v.string(),
      created: v.number(),
      string: v.optional(v.string()),
      /** Base64. */
      binary: v.optional(v.string()),
    }),
  ),
});
export type StoredSecret = v.InferOutput<typeof SecretSchema>;

const FileSchema = v.object({ v: v.literal(1), secrets: v.array(SecretSchema) });

/** Secrets by ARN, in one JSON file that only its owner reads, replaced whole on each change. */
export class SecretsFile {
  readonly #file: string;
  readonly #secrets: Map<string, StoredSecret>;

  constructor(file: string) {
    this.#file = file;
    const stored = existsSync(file) ? decodeJson(FileSchema, readFileSync(file), 'the file of secrets').secrets : [];
    this.#secrets = new Map(stored.map((secret) => [secret.arn, secret]));
  }

  /** By name, ARN, or ARN without the random characters at its end. */
  find(id: string): StoredSecret | undefined {
    return this.#secrets.get(id) ?? [...this.#secrets.values()].find(({ name, arn }) => name === id || arn.slice(0, -7) === id);
  }

  put(secret: StoredSecret): void {
    this.#secrets.set(secret.arn, secret);
    this.#save();
  }

  delete(arn: string): void {
    this.#secrets.delete(arn);
    this.#save();
  }

  #save(): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    const draft = `${this.#file}.${process.pid}.new`;
    writeFileSync(draft, encodeJson({ v: 1, secrets: [...this.#secrets.values()] }), { mode: 0o600 });
    renameSync(draft, this.#file);
  }
}
