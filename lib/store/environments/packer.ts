import { bucketKeys } from '../../contract';
import type { Environment, EnvironmentChunk, Store } from '../../contract';
import { sha256Of } from '../sha256';
import type { EncodedChunk } from './codec';

/** A pack is closed once it has so many bytes. */
const PACK_BYTES = 16 * 2 ** 20;

/** Packs under way at once; another is filled meanwhile. Together with chunks that wait this bounds the memory. */
const UPLOADS = 2;

export interface PackerOptions {
  readonly store: Store;
  /** Of the environment that is stored. */
  readonly key: string;
  /** Whose packs may be used again. @default - none */
  readonly base?: Environment;
  readonly signal?: AbortSignal;
}

/** Lays chunks into packs and sends them; a chunk that the base has is not sent again. */
export class Packer {
  readonly #packs: { name: string; bytes: number }[] = [];
  /** By name. */
  readonly #numbers = new Map<string, number>();
  /** Of the base, by SHA-256. */
  readonly #known = new Map<string, EnvironmentChunk>();
  readonly #uploads = new Set<Promise<void>>();
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #waiting: { chunk: EnvironmentChunk; settle: (chunk: EnvironmentChunk) => void }[] = [];
  #failure: { readonly error: unknown } | undefined;
  sentBytes = 0;

  constructor(private readonly options: PackerOptions) {
    for (const chunk of options.base?.parts.flatMap(({ chunks }) => chunks) ?? []) this.#known.set(chunk[5], chunk);
  }

  /** A chunk of the base, as this environment's manifest has it. */
  reuse(chunk: EnvironmentChunk): EnvironmentChunk {
    const { name, bytes } = this.options.base!.packs[chunk[0]]!;
    return [this.#numberOf(name, bytes), chunk[1], chunk[2], chunk[3], chunk[4], chunk[5]];
  }

  /** `settle` is told where the chunk lies, once it is known. */
  async add({ stored, encoding }: EncodedChunk, bytes: number, settle: (chunk: EnvironmentChunk) => void): Promise<void> {
    const sha256 = sha256Of(stored);
    const known = this.#known.get(sha256);
    if (known) return settle(this.reuse(known));
    this.#waiting.push({ chunk: [0, this.#heldBytes, stored.byteLength, bytes, encoding, sha256], settle });
    this.#held.push(stored);
    this.#heldBytes += stored.byteLength;
    if (this.#heldBytes >= PACK_BYTES) await this.#send();
  }

  /** Sends what is held, and waits for all that is under way. @returns all packs of the manifest */
  async finish(): Promise<Environment['packs']> {
    if (this.#heldBytes > 0) await this.#send();
    await this.settled();
    if (this.#failure) throw this.#failure.error;
    return this.#packs;
  }

  /** Waits for what is under way, however it ends. */
  async settled(): Promise<void> {
    await Promise.all(this.#uploads);
  }

  async #send(): Promise<void> {
    const bytes = Buffer.concat(this.#held);
    const sha256 = sha256Of(bytes);
    const name = `${this.options.key}/${sha256}`;
    const number = this.#numberOf(name, bytes.byteLength);
    for (const { chunk, settle } of this.#waiting) settle([number, chunk[1], chunk[2], chunk[3], chunk[4], chunk[5]]);
    [this.#held, this.#heldBytes, this.#waiting] = [[], 0, []];
    const upload = this.#put(name, bytes, sha256).catch((error: unknown) => {
      this.#failure ??= { error };
    });
    const done = upload.then(() => void this.#uploads.delete(done));
    this.#uploads.add(done);
    while (this.#uploads.size >= UPLOADS) await Promise.race(this.#uploads);
    if (this.#failure) throw this.#failure.error;
  }

  /** Under its hash: whoever stores the same stores nothing else. */
  async #put(name: string, bytes: Uint8Array, sha256: string): Promise<void> {
    const { store, signal } = this.options;
    await store.put(bucketKeys.environmentPack(name), bytes, { sha256, ...(signal ? { signal } : {}) });
    this.sentBytes += bytes.byteLength;
  }

  #numberOf(name: string, bytes: number): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#packs.push({ name, bytes });
    this.#numbers.set(name, this.#packs.length - 1);
    return this.#packs.length - 1;
  }
}
