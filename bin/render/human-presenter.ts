import type { RawcloudEvent } from '../../lib/contract';
import type { JobResult, TransferProgress, TreeSize } from '../../lib/runtime/api';
import type { Context } from '../context';
import { outputBytes } from '../../lib/contract/events';
import { downloadingText, phaseText } from './phase-text';
import type { PhaseText } from './phase-text';
import type { Downloaded, Leaving, Presenter } from './presenter';
import { Rate } from './rate';
import { Screen } from './screen';
import { widthOf } from './style';
import { downloadedLine, leavingLines, resultLines, treeLines } from './summary';

/** For people: the job's own bytes on stdout and stderr, phases and summary on stderr. */
export class HumanPresenter implements Presenter {
  readonly #screen: Screen;
  readonly #uploadRate: Rate;
  readonly #downloadRate: Rate;
  readonly confirmTree?: (size: TreeSize, signal: AbortSignal) => Promise<boolean>;

  constructor(
    private readonly context: Context,
    /** Nothing is charged in the local cloud. */
    private readonly local: boolean,
  ) {
    this.#screen = new Screen(context);
    this.#uploadRate = new Rate(context.io.clock);
    this.#downloadRate = new Rate(context.io.clock);
    if (context.io.stdin.isTTY && this.#screen.live) this.confirmTree = (size, signal) => this.#ask(size, signal);
  }

  async event(event: RawcloudEvent): Promise<void> {
    if (event.type === 'output') {
      const { out, err } = this.context;
      const sink = { stdout: out, stderr: err, system: undefined, environment: undefined }[event.data.stream];
      if (sink) await this.#screen.output(sink, outputBytes(event.data));
      return;
    }
    // From here on the screen is the job's; what follows it has lines of its own.
    if (event.type === 'vm.busy') await this.#screen.hide();
    const phase = phaseText(event, this.#screen.style, this.#uploadRate);
    if (phase) await this.#phase(phase);
  }

  async result(result: JobResult): Promise<void> {
    const { io } = this.context;
    const width = widthOf(io.stderr, io.env, 120);
    for (const line of resultLines(result, { local: this.local, style: this.#screen.style, width })) await this.#screen.line(line);
  }

  downloading(progress: TransferProgress): void {
    this.#screen.showSoon(downloadingText(progress, this.#screen.style, this.#downloadRate));
  }

  downloaded(files: Downloaded): Promise<void> {
    return this.#screen.line(downloadedLine(files, this.#screen.style));
  }

  async leaving(leaving: Leaving): Promise<void> {
    for (const line of leavingLines(leaving, this.context.io.clock.now())) await this.#screen.line(line);
  }

  remark(text: string): Promise<void> {
    return this.#screen.line(text);
  }

  close(): Promise<void> {
    return this.#screen.close();
  }

  async #phase({ text, keep }: PhaseText): Promise<void> {
    if (keep === 'always' || (keep === 'unless-live' && !this.#screen.live)) await this.#screen.line(text);
    else await this.#screen.show(text);
  }

  async #ask(size: TreeSize, signal: AbortSignal): Promise<boolean> {
    for (const line of treeLines(size)) await this.#screen.line(line);
    const answer = await this.context.io.stdin.ask('Synchronize all of it? [y/N] ', signal);
    return /^y(es)?$/i.test(answer.trim());
  }
}
