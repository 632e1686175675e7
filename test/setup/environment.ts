import os from 'node:os';
import type { Circus } from '@jest/types';
import type { EnvironmentContext, JestEnvironmentConfig } from '@jest/environment';
import { TestEnvironment } from 'jest-environment-node';
import { LeakCheck } from './leaks';
import { TimerWatch } from './timers';

const DEFAULT_SETTLE_MS = 2_000;

/**
 * Node's environment with a leak check around each test file. It sits here and not in an `afterAll` because
 * jest runs a file's own `afterAll` hooks after those of set-up files: at `run_finish` all hooks are done.
 */
export default class LeakCheckedEnvironment extends TestEnvironment {
  private readonly check: LeakCheck;
  private readonly timers: TimerWatch;
  private readonly restore: () => void;
  private finished = false;

  constructor(config: JestEnvironmentConfig, context: EnvironmentContext) {
    const check = new LeakCheck(os.tmpdir(), settleMs(config));
    // Before super(): the tests' process.env is copied from this one there.
    const restore = setTemporaryDirectory(check.directory);
    super(config, context);
    this.check = check;
    this.timers = new TimerWatch(this.global);
    this.restore = restore;
  }

  handleTestEvent = async (event: Circus.Event, state: Circus.State): Promise<void> => {
    if (event.name !== 'run_finish') return;
    const leaks = await this.finish();
    if (leaks.length > 0) state.unhandledErrors.push(new Error(`the tests of this file leave behind:\n  ${leaks.join('\n  ')}`));
  };

  private finish(): Promise<string[]> {
    this.finished = true;
    return this.check.finish(() => this.timers.pending());
  }

  override async teardown(): Promise<void> {
    // A file that could not be loaded never finishes a run; what it left goes all the same.
    if (!this.finished) await this.finish();
    this.restore();
    await super.teardown();
  }
}

/** `testEnvironmentOptions: { settleMs }` */
function settleMs({ projectConfig }: JestEnvironmentConfig): number {
  const asked = projectConfig.testEnvironmentOptions['settleMs'];
  return typeof asked === 'number' ? asked : DEFAULT_SETTLE_MS;
}

function setTemporaryDirectory(directory: string): () => void {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = directory;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  };
}
