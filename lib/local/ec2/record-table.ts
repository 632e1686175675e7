import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type * as v from 'valibot';
import { decodeJson, encodeJson, mapBounded } from '../../contract';

/** Records by id in memory, each in a file of its own that is replaced as a whole; or in memory alone. */
export class RecordTable<T extends { readonly id: string }> {
  readonly #directory: string | undefined;
  readonly #records: Map<string, T>;
  /** The write under way of each id: writes of one record never overtake one another. */
  readonly #writes = new Map<string, Promise<void>>();

  private constructor(directory: string | undefined, records: Map<string, T>) {
    this.#directory = directory;
    this.#records = records;
  }

  /** Gone with the process. */
  static inMemory<T extends { readonly id: string }>(records: readonly T[] = []): RecordTable<T> {
    return new RecordTable(undefined, new Map(records.map((r) => [r.id, r])));
  }

  /** Reads what is there. @throws E_RECORD, E_NEWER */
  static async open<S extends v.GenericSchema<unknown, { id: string }>>(
    directory: string,
    schema: S,
  ): Promise<RecordTable<v.InferOutput<S>>> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
    const records = await mapBounded(names, 16, async (name) =>
      decodeJson(schema, await readFile(path.join(directory, name)), path.join(directory, name)),
    );
    return new RecordTable(directory, new Map(records.map((r) => [r.id, r])));
  }

  get(id: string): T | undefined {
    return this.#records.get(id);
  }

  all(): T[] {
    return [...this.#records.values()];
  }

  /** In memory at once; resolves when on disk. */
  put(record: T): Promise<void> {
    this.#records.set(record.id, record);
    return this.#queue(record.id);
  }

  delete(id: string): Promise<void> {
    this.#records.delete(id);
    return this.#queue(id);
  }

  /** Resolves when everything is on disk. */
  async flush(): Promise<void> {
    await Promise.all(this.#writes.values());
  }

  #queue(id: string): Promise<void> {
    const directory = this.#directory;
    if (directory === undefined) return Promise.resolve();
    const before = this.#writes.get(id) ?? Promise.resolve();
    // That it failed is told to who asked for it.
    const write = before.catch(() => undefined).then(() => this.#write(directory, id));
    this.#writes.set(id, write);
    const done = (): void => void (this.#writes.get(id) === write && this.#writes.delete(id));
    write.then(done, done);
    return write;
  }

  /** Writes what the record is by now. */
  async #write(directory: string, id: string): Promise<void> {
    const file = path.join(directory, `${id}.json`);
    const record = this.#records.get(id);
    if (!record) return rm(file, { force: true });
    await writeFile(`${file}.new`, encodeJson(record), { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
}
