import { EventEmitter, once } from 'node:events';
import { mapBounded } from '../../contract';
import type { Machine } from '../../contract';
import { endOfState, powerChange, requested } from './life-cycle';
import type { PowerWish } from './life-cycle';
import type { Machines } from './machines';
import type { InstanceRecord } from './records';
import type { Ec2State } from './state';

export interface FleetOptions {
  readonly state: Ec2State;
  readonly machines: Machines;
  /** From the launch to 'running', milliseconds. */
  readonly bootMs: number;
  /** From SIGTERM to SIGKILL when an instance is stopped or terminated from outside, milliseconds. */
  readonly graceMs: number;
  /** How long the directory of a terminated instance stays, milliseconds. */
  readonly keepMs: number;
  /** Told of what went wrong behind the answers. */
  readonly onError: (error: unknown) => void;
}

/**
 * Brings machines to where the records say they shall be, and records what machines do by themselves.
 *
 *   launch     record 'pending' → (bootMs) → machine starts → 'running'
 *   wish       record 'shutting-down' | 'stopping' → power button → machine off → 'terminated' | 'stopped'
 *   by itself  machine off → 'terminated' | 'stopped', with the reason
 *   close      machines are powered off, or left alone to be adopted by the next process
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #on = new Map<string, Machine>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Of spot instances that were given notice. */
  readonly #interruptions = new Map<string, NodeJS.Timeout>();
  readonly #booting = new Map<string, Promise<void>>();
  /** What is under way behind the answers, and will end by itself. */
  readonly #work = new Set<Promise<void>>();
  /** One for each machine that is on: ends when the machine's end is recorded. */
  readonly #watches = new Set<Promise<void>>();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #dead = 0;
  /** Machines are left to the next process: what happens to them is no more recorded here. */
  #left = false;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Takes over what an earlier process left: machines that run are adopted, those that went off meanwhile change state. */
  async adopt(): Promise<void> {
    await mapBounded(this.#options.state.instances.all(), 16, (instance) => this.#adoptOne(instance).catch(this.#options.onError));
  }

  /** Resolves when the instances are on disk; they boot afterwards. */
  async launch(launched: readonly InstanceRecord[]): Promise<void> {
    await mapBounded(launched, 16, (instance) => this.#put(instance));
    for (const { id } of launched) this.#bootLater(id);
  }

  /** Terminates, stops or starts an instance; what it is already is no error. @returns the record as changed */
  async wish(instance: InstanceRecord, wish: PowerWish): Promise<InstanceRecord> {
    const changed = requested(instance, wish, this.#options.state.now());
    if (changed === instance) return instance;
    await this.#put(changed);
    this.#background(() => (wish === 'start' ? this.#boot(changed.id) : this.#shutDown(changed.id)));
    return changed;
  }

  /** A spot instance was given notice: EC2 takes it back at the time that stands in its record. */
  interruptLater({ id, spot }: InstanceRecord): void {
    if (!spot?.notice) return;
    const { state } = this.#options;
    clearTimeout(this.#interruptions.get(id));
    const interrupt = (): void => {
      this.#interruptions.delete(id);
      this.#background(async () => void (await this.wish(state.instances.get(id)!, 'interrupt')));
    };
    this.#interruptions.set(id, setTimeout(interrupt, Math.max(0, spot.notice.at - state.now())).unref());
  }

  async reboot(id: string): Promise<void> {
    await this.#on.get(id)?.reboot();
  }

  /** As a host that dies. */
  async kill(id: string): Promise<void> {
    await this.#shutDown(id, (machine) => machine.kill(), 'crashed');
    await this.#settled(id);
  }

  /** As the power button, or as `poweroff` typed on the machine. */
  async powerOff(id: string): Promise<void> {
    await this.#shutDown(id);
    await this.#settled(id);
  }

  consoleOutput(id: string): Promise<Uint8Array> {
    return this.#options.machines.consoleOutput(id);
  }

  /** The next so many instances boot never. */
  deadInstances(count: number): void {
    this.#dead = count;
  }

  /** How many of the next `count` instances shall boot never; used up by asking. */
  takeDead(count: number): number {
    const taken = Math.min(this.#dead, count);
    this.#dead -= taken;
    return taken;
  }

  /** Instances whose machine is on. */
  get running(): readonly string[] {
    return [...this.#on.keys()];
  }

  /** Resolves with the instance once it fits. @throws the signal's reason */
  async when(id: string, fits: (instance: InstanceRecord) => boolean, signal?: AbortSignal): Promise<InstanceRecord> {
    for (;;) {
      const instance = this.#options.state.instances.get(id);
      if (instance && fits(instance)) return instance;
      await once(this.#changes, 'change', signal ? { signal } : {});
    }
  }

  /** Ends all work behind the answers. With `keepMachines` machines live on, else they are powered off, but not terminated. */
  async close({ keepMachines }: { keepMachines: boolean }): Promise<void> {
    this.#clearTimers();
    this.#left = keepMachines;
    do {
      // Boots first: a machine that came up while others are powered off would be waited for, and never told to end.
      await Promise.all(this.#work);
      if (!keepMachines) await this.#powerOffAll();
      // One more may have been started meanwhile.
    } while (!keepMachines && this.#on.size > 0);
    // Ends that were recorded meanwhile have set timers of their own.
    this.#clearTimers();
    await this.#options.machines.close();
    await this.#options.state.instances.flush();
  }

  async #powerOffAll(): Promise<void> {
    const watches = [...this.#watches];
    await mapBounded([...this.#on.values()], 16, (machine) => machine.powerOff(this.#options.graceMs));
    await Promise.all(watches);
  }

  #clearTimers(): void {
    for (const timer of [...this.#timers.values(), ...this.#interruptions.values()]) clearTimeout(timer);
    this.#timers.clear();
    this.#interruptions.clear();
  }

  #bootLater(id: string): void {
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        this.#background(() => this.#boot(id));
      }, this.#options.bootMs),
    );
  }

  async #adoptOne(instance: InstanceRecord): Promise<void> {
    const { id, state } = instance;
    if (state === 'terminated') return this.#clearLater(instance);
    if (state === 'stopped') return;
    if (instance.dead) return this.#end(id, 'crashed');
    const machine = await this.#options.machines.adopt(instance);
    if (machine) {
      await this.#resume(id, machine);
      this.interruptLater(instance);
      if (state === 'shutting-down' || state === 'stopping') this.#background(() => this.#shutDown(id));
      return;
    }
    // A launch that its process did not live to carry out.
    if (state === 'pending') return this.#bootLater(id);
    await this.#end(id, 'crashed');
  }

  /** Ends a machine, one that is just booting, or a boot that has not begun. */
  async #shutDown(
    id: string,
    end = (machine: Machine): Promise<void> => machine.powerOff(this.#options.graceMs),
    otherwise: Awaited<Machine['exited']> = 'poweroff',
  ): Promise<void> {
    if (endOfState(this.#options.state.instances.get(id)!.state)) return;
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    await this.#booting.get(id);
    const machine = this.#on.get(id);
    if (machine) await end(machine);
    else await this.#end(id, otherwise);
  }

  async #boot(id: string): Promise<void> {
    const instance = this.#options.state.instances.get(id);
    if (instance?.state !== 'pending') return;
    if (instance.dead) return this.#end(id, 'crashed');
    const booting = this.#options.machines.start(instance).then((machine) => this.#resume(id, machine));
    this.#booting.set(
      id,
      booting.catch(() => undefined),
    );
    try {
      await booting;
    } catch (error) {
      await this.#end(id, 'crashed');
      throw error;
    } finally {
      this.#booting.delete(id);
    }
  }

  /** A machine is on: recorded, and watched. What was wished of it meanwhile is done by who wished, or here after a restart. */
  async #resume(id: string, machine: Machine): Promise<void> {
    this.#on.set(id, machine);
    const now = this.#options.state.instances.get(id)!;
    if (now.state === 'pending') await this.#put({ ...now, state: 'running' });
    this.#track(this.#watches, async () => {
      const exit = await machine.exited;
      if (this.#left) return;
      this.#on.delete(id);
      await this.#end(id, exit);
    });
  }

  async #end(id: string, exit: Awaited<Machine['exited']>): Promise<void> {
    const { state, machines } = this.#options;
    const before = state.instances.get(id);
    if (!before || endOfState(before.state)) return;
    const after = powerChange(before, exit, state.now());
    clearTimeout(this.#interruptions.get(id));
    this.#interruptions.delete(id);
    await machines.disconnect(id);
    await this.#put(after);
    if (after.state === 'terminated') this.#clearLater(after);
  }

  #clearLater({ id, terminatedAt }: InstanceRecord): void {
    const { keepMs, machines, state } = this.#options;
    const waitMs = Math.max(0, (terminatedAt ?? 0) + keepMs - state.now());
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.#background(() => machines.clear(id));
    }, waitMs);
    this.#timers.set(id, timer.unref());
  }

  async #put(instance: InstanceRecord): Promise<void> {
    const { instances, lag } = this.#options.state;
    lag.changes(instance.id, instances.get(instance.id));
    const written = instances.put(instance);
    this.#changes.emit('change');
    await written;
  }

  /** Until the machine's end is recorded. */
  async #settled(id: string): Promise<void> {
    await this.when(id, (i) => endOfState(i.state));
  }

  #background(work: () => Promise<void>): void {
    this.#track(this.#work, work);
  }

  #track(tasks: Set<Promise<void>>, work: () => Promise<void>): void {
    const done: Promise<void> = work()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => tasks.delete(done));
    tasks.add(done);
  }
}
