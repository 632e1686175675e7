import os from 'node:os';
import { DEFAULT_SCAFFOLD_NAME, isRawcloudError } from '../../contract';
import type { Clock, ExecResult, JobView } from '../../contract';
import { createEc2Compute } from '../../aws/ec2-compute';
import { whoAmI } from '../../aws/identity';
import { createS3Store } from '../../aws/s3-store';
import { createSessionManager } from '../../aws/session-manager';
import type { SessionAccess, SessionManager } from '../../contract/session/ports';
import type { ConnectOptions } from '../api';
import { readScaffold } from '../open-deps';
import { Driver } from '../drive/driver';
import { findJob } from '../find';
import { openContext } from '../open-context';
import { runExec } from './run';
import type { ExecCommand } from './run';
import { execTarget } from './target';

/** Commands on the VMs of running jobs. */
export interface Exec {
  /**
   * Runs a command beside that of a running job: as its user, in its environment and working directory.
   * @param which as in {@link Client.job}
   * @throws E_NO_JOB, E_JOB_STATE, E_NOT_ALLOWED, E_EXEC_UNREACHABLE, E_EXEC_LOST
   */
  run(which: string | undefined, command: ExecCommand): Promise<ExecEnd>;
  close(): Promise<void>;
}

/** How a command ended. */
export interface ExecEnd extends ExecResult {
  readonly job: string;
  /** Instance id. */
  readonly vm: string;
}

/** @throws as `connect` */
export async function openExec(options: ConnectOptions): Promise<Exec> {
  const { context } = await openContext(options);
  const asked = Promise.all([
    readScaffold(context, options.scaffold ?? DEFAULT_SCAFFOLD_NAME, options.local ?? false),
    whoAmI(context),
  ] as const);
  const [scaffold, caller] = await asked.catch((error: unknown) => {
    context.close();
    throw error;
  });
  const store = createS3Store(context, { bucket: scaffold.bucket, account: scaffold.account });
  const driver = { store, compute: createEc2Compute(context), scaffold, clock: context.clock, by: 'exec' };
  const manager = createSessionManager(context);
  return {
    async run(which, command) {
      const { signal } = command;
      const found = await findJob(store, which, { owner: caller.arn, host: os.hostname() }, signal);
      const view: JobView = await new Driver(driver, found.prefix).look(true, signal);
      const { instance, document } = execTarget(view, scaffold);
      const access = await startSession(manager, context.clock, instance, document, options.local ? LOCAL_REPORTS : REPORTS, signal);
      return { ...(await runExec({ manager, clock: context.clock }, access, command)), job: found.job, vm: instance };
    },
    close: async () => context.close(),
  };
}

/** The SSM agent of a VM that has just booted reports within seconds, seldom later. Those of the local cloud are there at once. */
const REPORTS = { withinMs: 20_000, lookMs: 2_000 };
const LOCAL_REPORTS = { withinMs: 500, lookMs: 250 };

async function startSession(
  manager: SessionManager,
  clock: Clock,
  instance: string,
  document: string,
  { withinMs, lookMs }: typeof REPORTS,
  signal: AbortSignal | undefined,
): Promise<SessionAccess> {
  const until = clock.now() + withinMs;
  for (;;) {
    try {
      return await manager.start(instance, document, { mode: 'rawcloud' });
    } catch (error) {
      if (!isRawcloudError(error) || error.code !== 'E_EXEC_UNREACHABLE' || clock.now() >= until) throw error;
    }
    await clock.sleep(lookMs, signal);
  }
}
