import { bucketKeys, encodeJson, formatSize, RENEW_AFTER_MS } from '../../contract';
import type { Environment, EnvironmentParts, Layer } from '../../contract';
import { renewEnvironment } from '../../store/environments/renew';
import { takeSnapshot } from '../../store/environments/snapshot';
import type { Snapshot } from '../../store/environments/snapshot';
import { storeEnvironment } from '../../store/environments/store';
import { sizeOf } from '../../store/environments/manifest';
import type { Lease } from './lease';
import type { CacheDeps } from './making';
import { noteUse } from './use';

/** Work for the sake of later VMs, which goes on beside the command. */
export interface Beside {
  /** Called once when we change nothing of the environment any more, and the command has not begun. Quick. */
  settle(): Promise<void>;
  /** After {@link settle}, if it is called at all. @throws when it could not be done; nothing half is left */
  run(options: { readonly signal: AbortSignal; readonly onProgress: (detail: string) => void }): Promise<void>;
  /** Instead of, or after {@link run}: lets go of what is held. */
  end(): Promise<void>;
}

interface Keys {
  readonly key: string;
  readonly lastKey: string;
}

/** The kernel's clock that files are stamped with ticks every 4 or 10 ms: what is changed within one tick looks unchanged. */
const TICK_MS = 20;

export interface StoringOptions extends Keys {
  readonly parts: EnvironmentParts;
  readonly layer: Layer;
  readonly io: { readonly directory: string };
  readonly base: Environment | undefined;
  readonly lease: Lease | undefined;
  readonly over: string | undefined;
}

/** Stores what was built, as it was before the command began: what the command changes makes it give up. */
export class Storing implements Beside {
  #snapshot: Snapshot | undefined;

  constructor(
    private readonly deps: CacheDeps,
    private readonly options: StoringOptions,
  ) {}

  async settle(): Promise<void> {
    const { parts, io } = this.options;
    const { clock } = this.deps;
    this.#snapshot = takeSnapshot(io.directory, (path) => parts.isKept(path));
    const youngMs = Math.max(0, this.#snapshot.changedMs + TICK_MS - clock.now());
    if (youngMs > 0) await clock.sleep(Math.min(TICK_MS, youngMs));
  }

  /** Whoever waits for it has it then, or never will. */
  async run(options: Parameters<Beside['run']>[0]): Promise<void> {
    await this.#store(options).finally(() => this.end());
  }

  async #store({ signal, onProgress }: Parameters<Beside['run']>[0]): Promise<void> {
    const snapshot = this.#snapshot;
    if (!snapshot) throw new Error('an environment is stored that was not looked at');
    const { store, say } = this.deps;
    const { parts, layer, io, key, lastKey, base, over } = this.options;
    const paths = [...snapshot.files, ...snapshot.links].map(({ path }) => path);
    const total = snapshot.files.reduce((sum, { stamp }) => sum + stamp.size, 0);
    const stored = await storeEnvironment({
      store,
      key,
      kind: layer.kind,
      snapshot,
      parts: await parts.split(layer, io.directory, [...paths, ...snapshot.directories]),
      signal,
      onProgress: (done) => onProgress(`keeping the environment, ${formatSize(done)} of ${formatSize(total)}`),
      ...(base ? { base } : {}),
      ...(over === undefined ? {} : { over }),
    });
    await rememberLast(this.deps, { key, lastKey }, signal);
    const { environment } = stored;
    if (stored.manifest === 'stored')
      await noteUse(this.deps, { key, layer, environment, builtAt: this.deps.clock.now(), isNew: true }, signal);
    const { packages, bytes } = sizeOf(stored.environment.parts);
    say(`${layer.kind}: environment kept for later VMs (${packages} packages, ${formatSize(bytes)}; ${formatSize(stored.sentBytes)} sent)`);
  }

  async end(): Promise<void> {
    await this.options.lease?.end();
  }
}

export interface UsingOptions extends Keys {
  readonly layer: Layer;
  readonly environment: Environment;
  /** Of its manifest. */
  readonly ageMs: number;
}

/** What is used does not grow old: the reaper sweeps what nobody has used for long. */
export class Using implements Beside {
  constructor(
    private readonly deps: CacheDeps,
    private readonly options: UsingOptions,
  ) {}

  async settle(): Promise<void> {
    // Nothing of the disk is read.
  }

  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { store, clock } = this.deps;
    const { key, layer, environment, ageMs } = this.options;
    if (ageMs >= RENEW_AFTER_MS) {
      if (!(await renewEnvironment(store, key, environment, { signal }))) return;
      await rememberLast(this.deps, this.options, signal);
    }
    await noteUse(this.deps, { key, layer, environment, builtAt: clock.now() - ageMs, isNew: false }, signal);
  }

  async end(): Promise<void> {
    // Nothing is held.
  }
}

/** The last one wins: any environment of the project will do. */
async function rememberLast({ store }: CacheDeps, { key, lastKey }: Keys, signal: AbortSignal): Promise<void> {
  await store.put(bucketKeys.environmentLast(lastKey), encodeJson({ v: 1, key }), { signal });
}
