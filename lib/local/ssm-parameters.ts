import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { decodeJson, encodeJson } from '../contract';

const ParameterSchema = v.object({
  value: v.string(),
  type: v.picklist(['String', 'StringList', 'SecureString']),
  version: v.number(),
  /** Milliseconds since 1970. */
  modified: v.number(),
});
export type StoredParameter = v.InferOutput<typeof ParameterSchema>;

const FileSchema = v.object({ v: v.literal(1), parameters: v.record(v.string(), ParameterSchema) });

/** Parameters by name, in one JSON file that only its owner reads (a value may be a secret), replaced whole on each change. */
export class ParameterFile {
  readonly #file: string;
  readonly #parameters: Map<string, StoredParameter>;

  constructor(file: string) {
    this.#file = file;
    const stored = existsSync(file) ? decodeJson(FileSchema, readFileSync(file), 'the file of parameters').parameters : {};
    this.#parameters = new Map(Object.entries(stored));
  }

  get(name: string): StoredParameter | undefined {
    return this.#parameters.get(name);
  }

  /** In no particular order. */
  names(): string[] {
    return [...this.#parameters.keys()];
  }

  set(name: string, parameter: StoredParameter): void {
    this.#parameters.set(name, parameter);
    this.#save();
  }

  /** False when there was none. */
  delete(name: string): boolean {
    const had = this.#parameters.delete(name);
    if (had) this.#save();
    return had;
  }

  #save(): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    const draft = `${this.#file}.${process.pid}.new`;
    writeFileSync(draft, encodeJson({ v: 1, parameters: Object.fromEntries(this.#parameters) }), { mode: 0o600 });
    renameSync(draft, this.#file);
  }
}
