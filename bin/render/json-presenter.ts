import type { RawcloudEvent } from '../../lib/contract';
import type { JobResult } from '../../lib/runtime/api';
import type { Context } from '../context';
import { jsonLine } from './json-line';
import type { CliLine } from './json-line';
import { isoTime } from './json-value';
import type { Downloaded, Leaving, Presenter } from './presenter';

/** One JSON line for each event on stdout, and nothing else there. */
export class JsonPresenter implements Presenter {
  constructor(private readonly context: Context) {}

  event(event: RawcloudEvent): Promise<void> {
    return this.context.out.write(`${JSON.stringify(event)}\n`);
  }

  result(result: JobResult): Promise<void> {
    return this.#line({ type: 'result', job: result.job, data: result });
  }

  downloading(): void {}

  downloaded({ job, directory, files }: Downloaded): Promise<void> {
    return this.#line({ type: 'downloaded', job, data: { directory, files } });
  }

  leaving({ job, name, stopping, until }: Leaving): Promise<void> {
    const data = { ...(name === undefined ? {} : { name }), stopping, ...(until === undefined ? {} : { until: isoTime(until) }) };
    return this.#line({ type: 'detached', job, data });
  }

  remark(text: string): Promise<void> {
    return this.context.err.write(`${text}\n`);
  }

  async close(): Promise<void> {}

  #line(line: CliLine): Promise<void> {
    return this.context.out.write(jsonLine(this.context.io.clock, line));
  }
}
