import { bucketKeys } from '../contract';
import type { Clock, Credentials, Grant, Store } from '../contract';
import type { ReadSecret } from '../aws/secret-values';
import { followControl } from './control';
import { Ending } from './ending';
import type { Places } from './environment';
import type { MeasureUsage } from './idle/watch';
import { runJob } from './job';
import { followInterruption } from './interruption';
import type { Metadata, Timetable } from './interruption';
import type { Launcher } from './launcher';
import type { MachineUser } from './layers';
import { Lifetime } from './lifetime';
import { Pace } from './pace';
import type { Phases } from './phases';
import { Report } from './report';
import { Shipper } from './shipper';
import { readSpec } from './spec';

export interface AgentDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly grant: Grant;
  /** The VM's name in keys. */
  readonly vm: string;
  readonly bootId: string;
  readonly region: string;
  readonly places: Places;
  readonly phases: Phases;
  /** The machine's own environment. */
  readonly machine: Readonly<Record<string, string | undefined>>;
  /** Who the agent itself is. */
  readonly user: MachineUser;
  /** Its own file, which threads of it are started with. @default - there is none, and all is done by one thread */
  readonly program?: string;
  readonly launcher: (root: boolean) => Launcher;
  /** What EC2 tells the VM about itself. */
  readonly metadata: Metadata;
  /** Credentials of the VM's role, as the metadata service has them now. */
  readonly roleCredentials: () => Promise<Credentials>;
  /** Values of secrets, read with the VM's role. */
  readonly readSecret: ReadSecret;
  /** What a command has used so far. */
  readonly measureUsage: MeasureUsage;
  /** Processes killed for want of memory so far. */
  readonly oomKills: () => Promise<number>;
  /** Aborted when the machine is going down. */
  readonly goingDown: AbortSignal;
}

/**
 * One job on one VM. Life: the shipper starts first, then the lifetime and the look at control.json, then the job runs
 * to its end. Shutdown in reverse: control and lifetime stop, the grant is deleted once more (a renewal may lie there),
 * and last the shipper ships what it holds and the final beat.
 *
 * @returns whether the job came to a result; if not, drivers decide what became of it
 * @throws when the agent cannot go on; it has said so in the log
 */
export async function runAgent(deps: AgentDeps): Promise<boolean> {
  const { store, clock, grant, vm } = deps;
  const report = new Report({ bootId: deps.bootId, timings: () => deps.phases.timings });
  const pace = new Pace(clock, grant.intervals);
  const shipper = new Shipper({ store, clock, prefix: grant.prefix, vm, pace, describe: report.describe });
  report.through(shipper);
  const ending = new Ending();
  const failure: { error?: Error } = {};
  const shipping = shipper.run().catch((error: unknown) => {
    failure.error = error instanceof Error ? error : new Error(String(error));
    ending.begin('going-down');
  });
  const goDown = (): void => ending.begin('going-down');
  deps.goingDown.addEventListener('abort', goDown, { once: true });
  const forgotten = forgetGrant(deps, report);
  try {
    const isDecided = await live(deps, { report, shipper, pace, ending });
    if (failure.error) throw failure.error;
    return isDecided;
  } catch (error) {
    report.trouble('the agent cannot go on', error);
    throw error;
  } finally {
    deps.goingDown.removeEventListener('abort', goDown);
    await forgotten;
    if (grant.credentials) await forgetGrant(deps, report);
    report.show({ phase: 'ending', detail: undefined, final: true });
    if (!failure.error) await shipper.close(shipping);
  }
}

interface Parts {
  readonly report: Report;
  readonly shipper: Shipper;
  readonly pace: Pace;
  readonly ending: Ending;
}

/** The job, with what watches over it. */
async function live(deps: AgentDeps, { report, shipper, pace, ending }: Parts): Promise<boolean> {
  const { store, clock, grant, places } = deps;
  const { spec, now } = await readSpec(deps);
  const lifetime = new Lifetime({ clock, state: places.state, onEnd: () => ending.begin('lifetime') });
  await lifetime.moveTo(grant.lifetimeUntil, now);
  const over = new AbortController();
  const following = followControl({
    store,
    clock,
    prefix: grant.prefix,
    task: 0,
    everyMs: () => pace.controlMs,
    signal: over.signal,
    onChange: (control) => {
      shipper.watchedUntil(control.watchUntil === undefined ? 0 : clock.now() + control.watchUntil - control.now);
      if (control.stop) ending.begin('stopped');
      if (control.lifetimeUntil === undefined) return;
      lifetime.moveTo(control.lifetimeUntil, control.now).catch((error: unknown) => report.trouble('cannot move the deadline', error));
    },
    onTrouble: (error) => report.trouble('cannot read control.json', error),
  });
  const watching = watchInterruption(deps, report, ending, over.signal);
  try {
    return await runJob({ ...deps, spec, report, ending, push: (stream, bytes) => shipper.push(stream, bytes) });
  } finally {
    over.abort();
    lifetime.close();
    await following;
    await watching;
  }
}

/** Says at once what EC2 is about to do, and ends the command in time. */
async function watchInterruption(deps: AgentDeps, report: Report, ending: Ending, signal: AbortSignal): Promise<void> {
  const { clock, metadata, places } = deps;
  let notice: Timetable | undefined;
  await followInterruption({
    metadata,
    clock,
    file: places.interruption,
    signal,
    onRebalance: () => report.notice({ level: 'info', text: 'EC2 says that this spot VM is likelier than others to be taken back' }),
    onNotice: (at, timetable) => {
      notice = timetable;
      const when = new Date(at).toISOString().slice(11, 19);
      report.notice({ level: 'warning', text: `EC2 takes this spot VM back at ${when} UTC: the command is told, its files are saved` });
    },
    onTrouble: (error) => report.trouble('cannot ask whether EC2 takes the VM back', error),
  });
  if (!notice || signal.aborted) return;
  const { graceMs } = notice;
  await clock.sleep(notice.termAfterMs, signal).then(
    () => ending.begin('interrupted', graceMs),
    () => undefined,
  );
}

/** The grant has been read, and is nobody else's business. */
async function forgetGrant({ store, vm }: AgentDeps, report: Report): Promise<void> {
  try {
    await store.delete(bucketKeys.grant(vm));
  } catch (error) {
    report.trouble('the grant could not be deleted from the bucket', error);
  }
}
