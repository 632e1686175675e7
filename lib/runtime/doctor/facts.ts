import { amazonLinuxParameter, findRawcloudError, mapBounded, parseScaffold, RawcloudError, scaffoldParameterName } from '../../contract';
import type { Arch, FoundIdentity, Scaffold } from '../../contract';
import type { DoctorDeps, Premises } from './deps';

/** A check cannot be made, because what it needs could not be had: another line says why. */
export class NotLookedAt extends Error {}

/** What several checks need, asked for once. A fact that fails does so for each of them, in words that tell which it was. */
export class Facts {
  readonly #kept = new Map<string, Promise<unknown>>();

  constructor(
    readonly deps: DoctorDeps,
    readonly signal: AbortSignal | undefined,
  ) {}

  identity(): Promise<FoundIdentity> {
    return this.#once('identity', () => this.deps.look.identity(this.signal));
  }

  /** @throws E_NO_SCAFFOLDING */
  scaffold(): Promise<Scaffold> {
    return this.#once('scaffold', async () => {
      const { look, scaffold } = this.deps;
      await this.caller();
      const text = await look.parameter(scaffoldParameterName(scaffold), this.signal);
      if (text !== undefined) return parseScaffold(text);
      throw new RawcloudError('E_NO_SCAFFOLDING', `there is no scaffolding '${scaffold}' in ${look.region}`);
    });
  }

  /** Ids of the newest Amazon Linux, with their root devices; undefined where the region has none. */
  images(): Promise<Partial<Record<Arch, { readonly id: string; readonly rootDevice: string }>>> {
    return this.#once('images', async () => {
      const { look } = this.deps;
      await this.caller();
      const found = await mapBounded(['x86_64', 'arm64'] as const, 2, async (arch) => {
        const id = await look.parameter(amazonLinuxParameter(arch), this.signal);
        return [arch, id === undefined ? undefined : await look.image(id, this.signal)] as const;
      });
      return Object.fromEntries(found.filter(([, image]) => image !== undefined));
    });
  }

  /** For checks that need an identity. @throws NotLookedAt */
  caller(): Promise<FoundIdentity> {
    return this.identity().catch((error: unknown) => {
      throw new NotLookedAt('nobody is signed in', { cause: error });
    });
  }

  /** For checks that need the scaffolding. @throws NotLookedAt */
  async premises(): Promise<Premises & { readonly scaffold: Scaffold }> {
    const scaffold = await this.scaffold().catch((error: unknown) => {
      if (error instanceof NotLookedAt) throw error;
      const none = findRawcloudError(error)?.code === 'E_NO_SCAFFOLDING';
      throw new NotLookedAt(none ? 'there is no scaffolding' : 'the scaffolding could not be read', { cause: error });
    });
    return { ...this.deps.premises(scaffold), scaffold };
  }

  #once<T>(name: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#kept.get(name) as Promise<T> | undefined;
    if (known) return known;
    const asked = ask();
    this.#kept.set(name, asked);
    return asked;
  }
}
