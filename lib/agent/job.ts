import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { bytePathOf, DoneSchema, encodeJson, instanceOfVm, interruptedDecision, jobKeys, mayTryAgain } from '../contract';
import type { Decision, Done, Exit, Outcome } from '../contract';
import type { AgentDeps } from './agent';
import { BesideWork } from './beside-work';
import { claimBlock } from './claim';
import { Command } from './command';
import { decideByEnvironment, decideByResult, decideEarly } from './decisions';
import type { Ending, EndReason } from './ending';
import type { JobEntry } from './entry/server';
import { jobEnvironment } from './environment';
import { ENDED } from './exit';
import { IdleWatch } from './idle/watch';
import { Identity } from './identity';
import type { JobIdentity } from './identity';
import type { Launcher } from './launcher';
import { persevere } from './persevere';
import { prepare } from './prepare';
import type { Prepared } from './prepare';
import { textOf } from './report';
import type { Report } from './report';
import { RoleIdentity } from './role-identity';
import type { AgentSpec } from './spec';
import { writeOnce } from './write-once';

export interface JobOptions extends AgentDeps {
  readonly spec: AgentSpec;
  readonly report: Report;
  readonly ending: Ending;
  readonly push: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => Promise<void>;
}

/** A plain job is one block of one task. */
const BLOCK = 0;
const TASK = 0;

/**
 * Prepares and claims at once, runs the command, records its result and the job's outcome, then saves what it wrote.
 * @returns whether the job has come to an outcome of ours
 */
export async function runJob(job: JobOptions): Promise<boolean> {
  const claimed = claim(job);
  // Awaited below; a failure that comes earlier is no unhandled one.
  claimed.catch(() => undefined);
  const launcher = job.launcher(job.spec.root);
  let prepared: Prepared;
  try {
    prepared = await prepareJob(job, launcher);
  } catch (error) {
    if (!(await claimed)) return false;
    return job.ending.reason ? endEarly(job, job.ending.reason) : decide(job, decideByEnvironment(error));
  }
  const beside = new BesideWork(prepared.beside, job);
  try {
    if (!(await claimed)) return false;
    if (job.ending.reason) return await endEarly(job, job.ending.reason);
    return await perform(job, launcher, prepared, beside);
  } finally {
    await beside.end();
  }
}

function claim(job: JobOptions): Promise<boolean> {
  const { store, grant, vm } = job;
  const record = { v: 1 as const, vm, epoch: attemptOf(job), nonce: nonce() };
  return claimBlock({ store, prefix: grant.prefix, block: BLOCK, claim: record }, writing(job));
}

function attemptOf({ grant }: JobOptions): number {
  return grant.attempt ?? 0;
}

async function endEarly(job: JobOptions, reason: EndReason): Promise<boolean> {
  if (reason !== 'interrupted') return decide(job, decideEarly(reason));
  const { code, reason: how } = ENDED.interrupted;
  job.report.show({ phase: 'ending', exit: { code, outOfMemory: false, reason: how } });
  return giveUp(job);
}

/** The VM is taken back. What becomes of the job is decided here when nobody may try again, so that it does not stay open. */
async function giveUp(job: JobOptions): Promise<boolean> {
  const attempt = attemptOf(job);
  if (mayTryAgain(job.spec.limits, 'interrupted', attempt)) return true;
  return decide(job, interruptedDecision(instanceOfVm(job.vm), attempt));
}

async function prepareJob(job: JobOptions, launcher: Launcher): Promise<Prepared> {
  const { store, clock, vm, grant, spec, places, machine, user, report, ending, phases, readSecret } = job;
  const program = job.program === undefined ? {} : { program: job.program };
  const { controlMs: pollMs, beatMs: renewMs } = grant.intervals;
  const { image } = spec.environment;
  tellLauncher(job, launcher);
  const prepared = await prepare({
    store,
    spec,
    places,
    machine,
    ...(grant.homeFiles ? { homeFiles: grant.homeFiles } : {}),
    builderSecrets: grant.builderSecrets ?? {},
    secretVariables: grant.variables,
    user,
    clock,
    owner: launcher.kind === 'plain' ? undefined : launcher.user,
    signal: ending.signal,
    readSecret,
    say: (line) => report.log(line),
    begin: (phase) => phases.begin(phase),
    progress: (detail) => report.progress(detail),
    ...(grant.environments ? { cache: { vm, cache: grant.environments, image, pollMs, renewMs, ...program } } : {}),
  });
  prepared.built.notices.forEach((notice) => report.notice(notice));
  return prepared;
}

/**
 * What is not kept apart is said: as a warning on a VM, in the log alone where everybody expects it. In the local cloud
 * the network itself keeps jobs that have a user of their own from the metadata service.
 */
function tellLauncher({ report, places, spec, machine }: JobOptions, launcher: Launcher): void {
  const isLocal = places.root !== '' || machine['AWS_ENDPOINT_URL'] !== undefined;
  if (launcher.kind === 'unit' || (launcher.kind === 'user' && isLocal)) return;
  const user = launcher.kind === 'user' ? 'has a user of its own, but' : 'runs as the agent’s own user and';
  const text = `the job ${user} shares its network, the metadata service included`;
  if (isLocal || spec.root) void report.say(`info: ${text}`);
  else report.notice({ level: 'warning', text: `this VM has no systemd: ${text}` });
}

async function perform(job: JobOptions, launcher: Launcher, prepared: Prepared, beside: BesideWork): Promise<boolean> {
  const { store, grant, vm, clock, phases, report, ending, places } = job;
  const { snapshotTree } = await import('./outputs.js');
  const snapshot = await snapshotTree(places.tree);
  const identity = makeIdentity(job);
  const idle = makeIdleWatch(job);
  const entry = await makeEntry(job, launcher);
  try {
    const command = await makeCommand(job, launcher, prepared, { identity, idle, entry });
    beside.begin();
    const startedAt = clock.now();
    const exit = await runCommand(command, ending).finally(() => idle?.stop());
    const endedAt = clock.now();
    phases.begin('finish');
    report.show({ phase: 'ending', exit });
    await entry?.close();
    if (ending.reason === 'going-down') return false;
    if (exit.reason === 'interrupted') {
      await Promise.all([giveUp(job), saveOutputs(job, prepared, snapshot)]);
      return true;
    }
    const done: Done = { v: 1, vm, epoch: attemptOf(job), nonce: nonce(), results: [{ task: TASK, exit, startedAt, endedAt }] };
    // Somebody else's result was first: ours is discarded, and the job is not ours to end.
    if (!(await writeOnce(store, jobKeys.done(grant.prefix, BLOCK), DoneSchema, done, writing(job)))) return false;
    await decide(job, decideByResult(done, ending));
    await saveOutputs(job, prepared, snapshot);
    await beside.finish();
    return true;
  } finally {
    await entry?.close();
    await identity?.close();
  }
}

/** The way in for `rawcloud exec`, where the scaffolding has one. */
async function makeEntry({ grant, places, clock, report }: JobOptions, launcher: Launcher): Promise<JobEntry | undefined> {
  if (!grant.exec) return undefined;
  const { JobEntry } = await import('./entry/server.js');
  return new JobEntry({ file: places.entry, launcher, clock, onTrouble: (error) => report.trouble('nobody can enter this VM', error) });
}

async function runCommand(command: Command, ending: Ending): Promise<Exit> {
  const end = (): void => command.end(ending.reason ?? 'stopped', ending.graceMs);
  ending.signal.addEventListener('abort', end, { once: true });
  // It may have come while the last preparations were made.
  if (ending.reason) end();
  try {
    return await command.run();
  } finally {
    ending.signal.removeEventListener('abort', end);
  }
}

function makeIdentity({ spec, grant, store, clock, vm, report, roleCredentials }: JobOptions): JobIdentity | undefined {
  if (spec.identity?.kind === 'role') {
    return new RoleIdentity({ roleCredentials, onTrouble: (error) => report.trouble('cannot get credentials of the role', error) });
  }
  const { credentials, serial } = grant;
  if (!credentials) return undefined;
  return new Identity({
    store,
    clock,
    vm,
    credentials,
    serial,
    onRenewed: (until) => report.show({ credentialsUntil: until }),
    onTrouble: (error) => report.trouble("cannot renew the job's credentials", error),
  });
}

/** The limit on a command that does next to nothing, when there is one. */
function makeIdleWatch({ spec, clock, measureUsage, report, ending }: JobOptions): IdleWatch | undefined {
  const { idleS } = spec.limits;
  if (idleS === undefined) return undefined;
  return new IdleWatch({
    clock,
    idleMs: idleS * 1000,
    measure: measureUsage,
    say: (line) => void report.say(line),
    onIdle: (numbers) => {
      report.notice({ level: 'warning', text: `the command is ended: it did next to nothing ${numbers}` });
      ending.beginIdle(numbers);
    },
    onTrouble: (error) => report.trouble('cannot see whether the command does anything', error),
  });
}

interface Companions {
  readonly identity: JobIdentity | undefined;
  readonly idle: IdleWatch | undefined;
  readonly entry: JobEntry | undefined;
}

async function makeCommand(
  job: JobOptions,
  launcher: Launcher,
  prepared: Prepared,
  { identity, idle, entry }: Companions,
): Promise<Command> {
  const { spec, grant, machine, places, region, clock, phases, report, push, oomKills } = job;
  const credentials = await identity?.start();
  report.progress(undefined);
  const [file, ...args] = spec.work.argv as [string, ...string[]];
  const { taskTimeoutS, graceS } = spec.limits;
  const surroundings = {
    cwd: path.join(places.tree, spec.work.cwd),
    env: jobEnvironment({
      places,
      machine,
      user: launcher.user,
      job: spec.job,
      attempt: attemptOf(job),
      task: TASK,
      taskCount: spec.tasks.count,
      region,
      path: prepared.built.path,
      layers: prepared.built.env,
      // A secret wins: neither a placeholder in the clear nor an event's input may stand for it.
      variables: { ...spec.environment.variables, ...grant.variables, ...prepared.secrets },
      ...(credentials ? { credentials } : {}),
    }),
  };
  await entry?.open(surroundings);
  return new Command({
    file,
    args,
    ...surroundings,
    launcher,
    clock,
    graceMs: graceS * 1000,
    ...(taskTimeoutS === undefined ? {} : { timeoutMs: taskTimeoutS * 1000 }),
    ...(prepared.stdin === undefined ? {} : { stdin: prepared.stdin }),
    scratch: places.job,
    onOutput: (stream, bytes) => {
      idle?.wrote(bytes.byteLength);
      return push(stream, bytes);
    },
    onStarted: (pid) => {
      idle?.start(pid);
      // Here and not before: what is measured is the way to the command's exec.
      phases.begin('command');
      report.show({ phase: 'busy', credentialsUntil: identity?.until });
    },
    oomKills,
  });
}

async function saveOutputs(job: JobOptions, prepared: Prepared, snapshot: ReadonlyMap<string, string>): Promise<void> {
  const { store, grant, vm, places, report, clock, spec } = job;
  const { collectOutputs } = await import('./outputs.js');
  try {
    const onNotice = report.notice.bind(report);
    const outputs = await collectOutputs({
      store,
      directory: places.tree,
      tree: prepared.tree,
      snapshot,
      prefix: grant.prefix,
      vm,
      clock,
      whole: (spec.outputs ?? []).map(bytePathOf),
      onPartly: (outputs) => report.show({ outputs }),
      onProgress: (detail) => report.progress(detail),
      onNotice,
    });
    // The last beat follows at once, and tells of them.
    report.keep({ outputs });
  } catch (error) {
    // The result stands; that its files could not be saved is said, not made the job's failure.
    report.notice({ level: 'warning', text: `the files that the job wrote could not be saved: ${textOf(error)}` });
  }
}

/** Records the outcome unless there is one already; first wins. @returns whether there was one to record */
async function decide(job: JobOptions, decision: Decision | undefined): Promise<boolean> {
  const { store, grant, vm, clock } = job;
  if (!decision) return false;
  const outcome: Outcome = { v: 1, ...decision, by: `agent ${vm}`, at: clock.now() };
  await persevere(writing(job), () => store.put(jobKeys.outcome(grant.prefix), encodeJson(outcome), { if: 'absent' }));
  return true;
}

/** What must reach the bucket is tried until it has, or the machine goes down. */
function writing({ clock, goingDown, report }: JobOptions): Parameters<typeof persevere>[0] {
  return { clock, signal: goingDown, onTrouble: (error) => report.trouble('a result cannot be written yet', error) };
}

function nonce(): string {
  return randomBytes(12).toString('hex');
}
