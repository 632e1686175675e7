import { formatDuration } from '../../contract';
import type { Clock, JobView, Launch, Notice, RawcloudEvent, VmView } from '../../contract';
import { event } from '../drive/deps';

/** Share of the lifetime after which the user is told. */
const LIFETIME_WARNING = 0.8;

/** Turns successive views of a job into events: each change once, whatever happens in between. */
export class Changes {
  readonly #states = new Map<string, string>();
  readonly #said = new Set<string>();

  constructor(
    private readonly clock: Clock,
    private readonly job: string,
  ) {}

  /** Events for what differs from the last view; outcome and end are the watcher's to time. */
  *since(view: JobView): Iterable<RawcloudEvent> {
    for (const { value } of view.objects.launches.values()) yield* this.#launch(value);
    for (const vm of view.vms) {
      yield* this.#vm(vm);
      yield* this.#progress(vm);
      yield* this.#exit(vm);
      for (const notice of vm.beat?.notices ?? []) yield* this.#notice(notice);
      if (vm.silent)
        yield* this.#notice(
          { level: 'warning', text: `VM ${vm.id} has been silent for ${formatDuration((vm.beatAgeMs ?? 0) / 1000)}` },
          `silent ${vm.id}`,
        );
    }
    yield* this.#lifetime(view);
  }

  /** Who launched first has told of it; what came after a VM was lost may be anybody's doing. */
  *#launch({ n, attempt = 0, offer, reason, state, instances, failure }: Launch): Iterable<RawcloudEvent> {
    if (attempt === 0) return;
    if (this.#once(`launch ${n}`))
      yield event(this.clock, this.job, 'launch.intent', { n, attempt, offer, ...(reason === undefined ? {} : { reason }) });
    if (state === 'intent' || !this.#once(`launched ${n}`)) return;
    const why = failure ? { code: failure.code, message: failure.message } : {};
    yield event(this.clock, this.job, 'launch.outcome', { n, state, instances: instances.map(({ id }) => id), ...why });
  }

  *#vm(vm: VmView): Iterable<RawcloudEvent> {
    if (this.#states.get(vm.id) === vm.state) return;
    this.#states.set(vm.id, vm.state);
    const about = { vm: vm.id };
    switch (vm.state) {
      case 'requested':
        yield event(
          this.clock,
          this.job,
          'vm.requested',
          { vmType: vm.offer.vmType, ...(vm.offer.zone ? { zone: vm.offer.zone } : {}) },
          about,
        );
        return;
      case 'preparing':
        yield event(this.clock, this.job, 'vm.preparing', vm.beat?.detail ? { detail: vm.beat.detail } : {}, about);
        return;
      case 'pending':
      case 'booting':
      case 'idle':
      case 'busy':
      case 'ending':
      case 'gone':
        yield event(this.clock, this.job, `vm.${vm.state}`, {}, about);
        if (vm.state === 'busy' && this.#once(`started ${vm.id}`))
          yield event(this.clock, this.job, 'task.started', {}, { ...about, task: 0 });
    }
  }

  *#progress(vm: VmView): Iterable<RawcloudEvent> {
    const detail = vm.beat?.detail;
    if (detail && (vm.state === 'preparing' || vm.state === 'ending') && this.#once(`detail ${vm.id} ${detail}`)) {
      yield event(this.clock, this.job, 'environment.progress', { detail }, { vm: vm.id });
    }
  }

  *#exit(vm: VmView): Iterable<RawcloudEvent> {
    const exit = vm.beat?.exit;
    if (exit && this.#once(`exit ${vm.id}`)) yield event(this.clock, this.job, 'task.ended', { exit }, { vm: vm.id, task: 0 });
  }

  *#notice(notice: Notice, key = `notice ${notice.text}`): Iterable<RawcloudEvent> {
    if (this.#once(key)) yield event(this.clock, this.job, 'notice', notice);
  }

  *#lifetime(view: JobView): Iterable<RawcloudEvent> {
    const { lifetimeUntil, objects, now } = view;
    if (lifetimeUntil === undefined || !objects.spec || objects.outcome) return;
    const from = Date.parse(objects.spec.value.createdAt);
    if (now < from + LIFETIME_WARNING * (lifetimeUntil - from)) return;
    const left = formatDuration(Math.max(0, lifetimeUntil - now) / 1000);
    yield* this.#notice(
      { level: 'warning', text: `the VM ends itself in ${left}; rawcloud extend ${this.job} DURATION gives it more` },
      `lifetime ${lifetimeUntil}`,
    );
  }

  #once(key: string): boolean {
    if (this.#said.has(key)) return false;
    this.#said.add(key);
    return true;
  }
}
