import { RawcloudError } from '../../contract';
import type { NoCapacity } from './capacity';
import type { Fleet } from './fleet';
import type { OtherRegions } from './other-regions';
import type { InstanceRecord, InstanceState, SpotRecord } from './records';
import type { LagOptions } from './lag';
import type { SpotPriceRule } from './spot-market';
import { shownInstances } from './state';
import type { Ec2State } from './state';

/** What can be done to the local EC2 that nobody can do to the real one. */
export class Ec2Controls {
  readonly #state: Ec2State;
  readonly #fleet: Fleet;

  /** The account's other regions, where nothing runs. */
  readonly others: Pick<OtherRegions, 'put'>;

  constructor(state: Ec2State, fleet: Fleet, others: Pick<OtherRegions, 'put'>) {
    this.#state = state;
    this.#fleet = fleet;
    this.others = others;
  }

  /** Launches that fit are refused with InsufficientInstanceCapacity. Adds to what was armed before. */
  noCapacity(rules: readonly NoCapacity[]): void {
    this.#state.capacity.shorten(rules);
  }

  clearCapacity(): void {
    this.#state.capacity.clear();
  }

  /** The next `count` instances are accepted and end at once, with a reason; their user data never runs. */
  deadInstances(count: number): void {
    this.#fleet.deadInstances(count);
  }

  /** Answers about instances lag behind what is, as those of the real EC2 may. */
  lag(options: LagOptions): void {
    this.#state.lag.set(options);
  }

  clearLag(): void {
    this.#state.lag.clear();
  }

  /** Prices from now on. Adds to what was set before; the last one that fits wins. */
  spotPrices(rules: readonly SpotPriceRule[]): void {
    this.#state.market.set(rules);
  }

  clearSpotPrices(): void {
    this.#state.market.clear();
  }

  /** vCPUs by quota code, as L-1216C47A. @throws E_LOCAL_CLOUD */
  setQuotas(values: Readonly<Record<string, number>>): void {
    this.#state.quotas.set(values);
  }

  clearQuotas(): void {
    this.#state.quotas.clear();
  }

  /** Whether the account has the role that EC2 needs for spot VMs. */
  spotRole(present: boolean): void {
    this.#state.spotRole.present = present;
  }

  /** Tells a spot VM that it is likely to be interrupted. @throws E_LOCAL_CLOUD */
  async rebalance(id: string): Promise<void> {
    const { instances, now } = this.#state;
    const { instance, spot } = this.#knownSpot(id);
    await instances.put({ ...instance, spot: { ...spot, rebalanceAt: spot.rebalanceAt ?? now() } });
  }

  /**
   * Gives a spot VM notice, and takes it back when the time is over. Resolves when the notice stands in its metadata.
   * @param noticeMs @default 120000 @throws E_LOCAL_CLOUD
   */
  async interrupt(id: string, { noticeMs = 120_000 }: { readonly noticeMs?: number } = {}): Promise<void> {
    const { instances, now } = this.#state;
    const { instance, spot } = this.#knownSpot(id);
    const noticedAt = now();
    const noticed = {
      ...instance,
      spot: { ...spot, rebalanceAt: spot.rebalanceAt ?? noticedAt, notice: { noticedAt, at: noticedAt + noticeMs } },
    };
    await instances.put(noticed);
    this.#fleet.interruptLater(noticed);
  }

  #knownSpot(id: string): { instance: InstanceRecord; spot: SpotRecord } {
    const instance = this.#state.instances.get(this.#known(id))!;
    const { spot, state } = instance;
    if (spot && (state === 'pending' || state === 'running')) return { instance, spot };
    throw new RawcloudError('E_LOCAL_CLOUD', `instance ${id} is ${spot ? state : 'no spot instance'}: it cannot be interrupted`);
  }

  /** As EC2 shows them, oldest first. */
  instances(): InstanceRecord[] {
    return shownInstances(this.#state);
  }

  /** Ids of the instances whose machine is on. */
  get running(): readonly string[] {
    return this.#fleet.running;
  }

  /** As a host that dies: nothing gets to run. Resolves when the instance's end is recorded. @throws E_LOCAL_CLOUD */
  async kill(id: string): Promise<void> {
    await this.#fleet.kill(this.#known(id));
  }

  /** As `poweroff` on the machine. Resolves when its end is recorded. @throws E_LOCAL_CLOUD */
  async powerOff(id: string): Promise<void> {
    await this.#fleet.powerOff(this.#known(id));
  }

  /** @throws E_LOCAL_CLOUD */
  async reboot(id: string): Promise<void> {
    await this.#fleet.reboot(this.#known(id));
  }

  async consoleOutput(id: string): Promise<string> {
    return Buffer.from(await this.#fleet.consoleOutput(this.#known(id))).toString('utf8');
  }

  /** Resolves when the instance is in that state. @throws E_LOCAL_CLOUD, the signal's reason */
  async whenState(id: string, state: InstanceState, signal?: AbortSignal): Promise<InstanceRecord> {
    return this.#fleet.when(this.#known(id), (i) => i.state === state, signal);
  }

  /** Resolves when the instance is no longer pending; its machine may write before that. @throws E_LOCAL_CLOUD, the signal's reason */
  async whenBooted(id: string, signal?: AbortSignal): Promise<InstanceRecord> {
    return this.#fleet.when(this.#known(id), (i) => i.state !== 'pending', signal);
  }

  #known(id: string): string {
    if (this.#state.instances.get(id)) return id;
    throw new RawcloudError(
      'E_LOCAL_CLOUD',
      `the local cloud knows no instance '${id}'; it has ${
        this.instances()
          .map((i) => i.id)
          .join(', ') || 'none'
      }`,
    );
  }
}
