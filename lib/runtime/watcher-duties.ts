import { bucketKeys, encodeJson, findRawcloudError } from '../contract';
import type { Credentials, JobView } from '../contract';
import { updateControl } from './control';
import type { ClientDeps } from './deps';
import { readSealed, writeGrant } from './drive/records';
import { WATCH_AHEAD_MS } from './run/record';

/** Credentials are looked at this often. */
const LOOK_AT_CREDENTIALS_MS = 30_000;

/**
 * What a watching client does for a running job: says that it watches, so that output is flushed every second, and
 * renews the job's credentials before half of their life is over. Both end when the client goes.
 */
export class WatcherDuties {
  #watchUntil = 0;
  #credentialsAt = 0;
  #expiresAt: number | undefined;
  #issuedAt: number;

  #onlyLooks = false;

  /** @param guest who may not do it leaves it: output then comes less often, and the job's credentials are left to others */
  constructor(
    private readonly deps: ClientDeps,
    private readonly guest = false,
  ) {
    this.#issuedAt = deps.clock.now();
  }

  /** Called on every pass of the watcher; does something about once a minute. */
  async perform(view: JobView): Promise<void> {
    if (this.#onlyLooks) return;
    try {
      await this.#sayWatching(view);
      await this.#renewCredentials(view);
    } catch (error) {
      if (!this.guest || findRawcloudError(error)?.code !== 'E_PERMISSION') throw error;
      this.#onlyLooks = true;
    }
  }

  async #sayWatching(view: JobView): Promise<void> {
    const known = Math.max(this.#watchUntil, view.objects.control?.value.watchUntil ?? 0);
    if (view.objects.outcome || known - view.now > WATCH_AHEAD_MS / 2) return;
    this.#watchUntil = view.now + WATCH_AHEAD_MS;
    await updateControl(this.deps.store, view.prefix, (control) => ({ ...control, watchUntil: this.#watchUntil }));
  }

  async #renewCredentials(view: JobView): Promise<void> {
    const now = this.deps.clock.now();
    const identity = view.objects.spec?.value.identity;
    if (identity?.kind !== 'forwarded' || view.objects.outcome || now < this.#credentialsAt) return;
    this.#credentialsAt = now + LOOK_AT_CREDENTIALS_MS;
    this.#expiresAt ??= identity.expiresAt === undefined ? undefined : Date.parse(identity.expiresAt);
    if (this.#expiresAt === undefined || now - this.#issuedAt < (this.#expiresAt - this.#issuedAt) / 2) return;
    const fresh = await this.deps.forward();
    const expiresAt = fresh?.credentials.expiresAt === undefined ? undefined : Date.parse(fresh.credentials.expiresAt);
    // A session that cannot be renewed by itself comes back with the same end.
    if (!fresh || expiresAt === undefined || expiresAt <= this.#expiresAt) return;
    await this.#hand(view, fresh.credentials, expiresAt);
    this.#issuedAt = now;
    this.#expiresAt = expiresAt;
  }

  /** A grant's serial is the end of its credentials, so that whoever watches next, or beside us, counts on. */
  async #hand(view: JobView, credentials: Credentials, serial: number): Promise<void> {
    const { store } = this.deps;
    const sealed = { ...(await readSealed(store, view.job)), credentials };
    await store.put(bucketKeys.sealed(view.job), encodeJson(sealed));
    for (const vm of view.vms) {
      const launch = view.objects.launches.get(vm.launch)?.value;
      if (launch && vm.granted && vm.state !== 'gone') await writeGrant(store, view, launch, vm.vm, sealed, { serial });
    }
  }
}
