import { mkdir, rm } from 'node:fs/promises';
import { bucketKeys, decodeJson, formatSize, hasCode, LastEnvironmentSchema } from '../../contract';
import type {
  Builder,
  BuildIo,
  Built,
  Clock,
  Environment,
  EnvironmentCache,
  EnvironmentPart,
  EnvironmentParts,
  Layer,
  Notice,
  Store,
} from '../../contract';
import { findEnvironment, sizeOf } from '../../store/environments/manifest';
import type { EnvironmentSize, FoundEnvironment } from '../../store/environments/manifest';
import { restoreParts } from '../../store/environments/restore';
import { textOf } from '../report';
import { environmentKey, lastKey, systemFacts } from './keys';
import { Lease } from './lease';
import { filledUp, freeBytes, mustHaveRoom, mustNotBeDisk } from './room';
import { Storing, Using } from './beside';
import type { Beside } from './beside';

/** What the cache needs to be used. */
export interface CacheDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly vm: string;
  readonly cache: EnvironmentCache;
  /** The image that the user chose. @default - none */
  readonly image: string | undefined;
  /** Keys of what was run on the machine before: what is built may rest on it. */
  readonly setup: readonly string[];
  readonly pollMs: number;
  readonly renewMs: number;
  /** The agent's own file, for threads that write. @default - none */
  readonly program?: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly progress: (detail: string) => void;
}

/** How a layer came to be there. */
export interface Made {
  readonly built: Built;
  /** Of what was restored; absent when nothing was. */
  readonly restored?: EnvironmentSize;
  readonly notices: readonly Notice[];
  /** What is still to be done for the VMs that come later. */
  readonly beside?: Beside;
}

export interface MakingOptions {
  readonly builder: Builder;
  readonly parts: EnvironmentParts;
  readonly layer: Layer;
  readonly io: BuildIo;
}

/**
 * Makes a layer by the shortest way: restores its environment; or waits for the VM that builds it; or restores what an earlier
 * environment of the project has of it and builds the rest; or builds it all. Whatever fails of the first three is no reason
 * to fail for what the last can do.
 * @throws E_ENVIRONMENT
 */
export async function makeLayer(deps: CacheDeps, options: MakingOptions): Promise<Made> {
  const facts = await options.parts.facts(options.layer, options.io);
  if (!facts) return { built: await options.builder.build(options.layer, options.io), notices: [] };
  return new Making(deps, options, { ...facts, ...(await systemFacts(deps.image)), ...setupFacts(deps.setup) }).make();
}

function setupFacts(setup: readonly string[]): Readonly<Record<string, string>> {
  return setup.length === 0 ? {} : { setup: setup.join(' ') };
}

class Making {
  readonly #key: string;
  readonly #lastKey: string;
  readonly #notices: Notice[] = [];
  /** Of a manifest that is there and cannot be used. */
  #over: string | undefined;
  /** False when the bucket does not even tell. */
  #isInReach = true;

  constructor(
    private readonly deps: CacheDeps,
    private readonly options: MakingOptions,
    facts: Readonly<Record<string, string>>,
  ) {
    const { secret, project } = deps.cache;
    this.#key = environmentKey(secret, options.layer, facts);
    this.#lastKey = lastKey(secret, options.layer, facts, project);
  }

  async make(): Promise<Made> {
    const { rebuild } = this.deps.cache;
    const restored = rebuild ? await this.#findOver() : await this.#look();
    if (restored) return restored;
    const mayWait = !rebuild && this.#isInReach && this.#over === undefined;
    const waited = mayWait ? await this.#wait() : {};
    if (waited.made) return waited.made;
    const { lease } = waited;
    try {
      const base = mayWait ? await this.#findBase().catch(this.#trouble('be looked for')) : undefined;
      const built = (base && (await this.#extend(base))) ?? (await this.#buildAll());
      return { built, notices: this.#notices, beside: this.#storing(base, lease) };
    } catch (error) {
      await lease?.end();
      throw error;
    }
  }

  /** What is to be replaced, whatever it is. */
  async #findOver(): Promise<undefined> {
    const found = await findEnvironment(this.deps.store, this.#key, { signal: this.deps.signal }).catch(this.#trouble('be looked for'));
    this.#over = found?.etag;
  }

  /** Restores the environment if it is there and can be used. */
  async #look(): Promise<Made | undefined> {
    try {
      const found = await findEnvironment(this.deps.store, this.#key, { signal: this.deps.signal });
      return found && (await this.#restore(found));
    } catch (error) {
      this.#isInReach = false;
      return this.#trouble('be looked for')(error);
    }
  }

  async #restore(found: FoundEnvironment): Promise<Made | undefined> {
    try {
      if (!found.environment) throw found.unusable;
      const { environment } = found;
      const { parts: ways, layer } = this.options;
      const parts = environment.parts.filter((part) => !ways.isForBuilding?.(layer, part));
      await this.#write(environment, parts);
      const built = await this.#buildRest([]);
      return { built, restored: sizeOf(parts), notices: [], beside: this.#using(environment, found.ageMs) };
    } catch (error) {
      this.deps.signal.throwIfAborted();
      mustNotBeDisk(error);
      await this.#clear();
      const text = `the cached environment cannot be used (${textOf(error)}): it is built anew`;
      this.#notices.push({ level: 'warning', text });
      this.#over = found.etag;
      return undefined;
    }
  }

  /** Waits until no other VM builds the same. */
  async #wait(): Promise<{ made?: Made | undefined; lease?: Lease | undefined }> {
    const { store, clock, vm, pollMs, renewMs, signal, progress, say } = this.deps;
    let made: Made | undefined;
    const isThere = async (): Promise<boolean> => {
      if (this.#over === undefined) made = await this.#look();
      return made !== undefined;
    };
    const onWait = (): void => {
      progress('another VM is building the environment');
      say('another VM is building this environment: waiting for it');
    };
    const onTrouble = (error: unknown): void => say(`the lease on the environment cannot be kept: ${textOf(error)}`);
    try {
      const options = { store, clock, vm, key: this.#key, pollMs, renewMs, signal, onWait, onTrouble };
      const lease = await Lease.take(options, isThere);
      return { made, lease };
    } catch (error) {
      this.#trouble('be waited for')(error);
      return {};
    }
  }

  async #findBase(): Promise<Environment | undefined> {
    const { store, signal } = this.deps;
    const last = await store.get(bucketKeys.environmentLast(this.#lastKey), { signal });
    if (last === 'absent' || last === 'unchanged') return undefined;
    const { key } = decodeJson(LastEnvironmentSchema, last.body, 'the name of the last environment');
    return (await findEnvironment(store, key, { signal }))?.environment;
  }

  /** @returns undefined when there is nothing of it to take over, or that did not work */
  async #extend(base: Environment): Promise<Built | undefined> {
    const { parts, layer } = this.options;
    const wanted = new Set(parts.wanted(layer));
    const same = base.parts.filter(({ ids }) => ids.length > 0 && ids.every((id) => wanted.has(id)));
    if (same.length === 0) return undefined;
    const there = new Set(same.flatMap(({ ids }) => ids));
    const missing = [...wanted].filter((id) => !there.has(id));
    try {
      await this.#write(base, same);
      const { packages } = sizeOf(same);
      this.deps.say(`${layer.kind}: ${packages} packages are those of the last environment; what is new is built`);
      return await this.#buildRest(missing);
    } catch (error) {
      this.deps.signal.throwIfAborted();
      mustNotBeDisk(error);
      this.deps.say(`${layer.kind}: the last environment cannot be extended (${textOf(error)}): all is built anew`);
      await this.#clear();
      return undefined;
    }
  }

  async #write(environment: Environment, parts: readonly EnvironmentPart[]): Promise<void> {
    const { store, signal, progress, program } = this.deps;
    const { directory } = this.options.io;
    const { bytes, files } = sizeOf(parts);
    await mustHaveRoom(directory, bytes, files);
    await restoreParts({
      store,
      environment,
      parts,
      directory,
      signal,
      ...(program === undefined ? {} : { program }),
      onProgress: ({ done, total }) => progress(`restoring the environment, ${formatSize(done)} of ${formatSize(total)}`),
    }).catch(async (error: unknown) => {
      if (!hasCode(error, 'ENOSPC', 'EDQUOT')) throw error;
      const free = await freeBytes(directory);
      // Half of it is of no use, and the rest of the VM needs the room to report.
      await this.#clear();
      const failure = filledUp(bytes, free, error);
      this.deps.say(failure.message);
      throw failure;
    });
  }

  async #buildRest(missing: readonly string[]): Promise<Built> {
    const { builder, parts, layer, io } = this.options;
    const restored = { ...io, restored: { missing } };
    await parts.check(layer, restored);
    if (missing.length > 0) this.deps.progress('building what is new of the environment');
    return builder.build(layer, restored);
  }

  #buildAll(): Promise<Built> {
    const { builder, layer, io } = this.options;
    this.deps.progress('building the environment');
    this.deps.say(`${layer.kind}: building`);
    return builder.build(layer, io);
  }

  async #clear(): Promise<void> {
    const { directory } = this.options.io;
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
  }

  #storing(base: Environment | undefined, lease: Lease | undefined): Beside {
    return new Storing(this.deps, { ...this.options, key: this.#key, lastKey: this.#lastKey, base, lease, over: this.#over });
  }

  #using(environment: Environment, ageMs: number): Beside {
    return new Using(this.deps, { layer: this.options.layer, key: this.#key, lastKey: this.#lastKey, environment, ageMs });
  }

  /** The cache is out of reach: that is said, and the layer is built. */
  #trouble(what: string): (error: unknown) => undefined {
    return (error) => {
      this.deps.signal.throwIfAborted();
      mustNotBeDisk(error);
      this.deps.say(`the cached environment cannot ${what}: ${textOf(error)}`);
    };
  }
}
