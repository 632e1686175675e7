import type { RawcloudEvent } from '../../lib/contract';
import type { JobResult } from '../../lib/runtime/api';
import type { Context } from '../context';
import { outputBytes } from '../../lib/contract/events';
import type { Leaving, Presenter } from './presenter';
import { leavingLines } from './summary';

/** The job's own bytes; from us only why there are none: warnings of failure that are not the job's, answers to Ctrl-C. */
export class QuietPresenter implements Presenter {
  constructor(private readonly context: Context) {}

  async event(event: RawcloudEvent): Promise<void> {
    if (event.type !== 'output') return;
    const { out, err } = this.context;
    const sink = { stdout: out, stderr: err, system: undefined, environment: undefined }[event.data.stream];
    await sink?.write(outputBytes(event.data));
  }

  async result(result: JobResult): Promise<void> {
    if (result.exitCodeIsJobs) return;
    await this.remark(`${result.outcome}: ${result.message} (exit code ${result.exitCode} is rawcloud's)`);
    if (result.remedy) await this.remark(`  → ${result.remedy}`);
  }

  downloading(): void {}

  async downloaded(): Promise<void> {}

  async leaving(leaving: Leaving): Promise<void> {
    for (const line of leavingLines(leaving, this.context.io.clock.now())) await this.remark(line);
  }

  remark(text: string): Promise<void> {
    return this.context.err.write(`${text}\n`);
  }

  async close(): Promise<void> {}
}
