import type { Clock } from '../../lib/contract';
import type { Context } from '../context';
import type { Sink } from '../sink';
import { isLive, reflows, styleFor, widthOf } from './style';
import type { Style } from './style';
import { clean, cleanStyled, columnsOf, cutTo } from './text';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const CLEAR_LINE = '\r\u001b[K';
const CLEAR_BELOW = '\r\u001b[J';
const NEWLINE = 10;
const ESCAPE = 27;

/** Ends colours and brings the cursor back, should the job have left them otherwise. */
const RESET = '\u001b[0m\u001b[?25h';

/** Below so many columns the moving line leaves out what is for looks. */
const NARROW = 40;

/** Columns that stay free behind the moving line, so that the terminal's echo of `^C` does not wrap it. */
const ECHO_COLUMNS = 2;

/**
 * stderr (and a job's stdout, when both are one terminal): lines that stay, one line that moves, and the job's own bytes
 * in between, never on top of one another.
 *
 * The moving line exists only on a terminal. It is drawn by a ticker that lives from the first {@link show} to {@link close},
 * which is also how it follows a window that changes its size. It never fills the last column, so it never wraps by itself;
 * what a narrowed window has wrapped is taken away with all its rows.
 */
export class Screen {
  readonly style: Style;
  readonly live: boolean;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #ticker: Promise<void> | undefined;
  #text: string | undefined;
  #since = 0;
  /** Columns of the moving line as it stands on the screen; 0 when there is none. */
  #drawn = 0;
  #frame = 0;
  #atLineStart = true;
  /** The job sent escape sequences since the last line of ours. */
  #altered = false;

  constructor(private readonly context: Context) {
    this.#clock = context.io.clock;
    this.live = isLive(context.io.stderr, context.io.env);
    this.style = styleFor(context.io.stderr, context.io.env);
  }

  /** A line that stays. */
  async line(text: string): Promise<void> {
    this.#text = undefined;
    await this.#begin();
    await this.context.err.write(`${cleanStyled(text)}\n`);
  }

  /** The line that moves; does nothing where there is no terminal. */
  async show(text: string): Promise<void> {
    if (!this.live) return;
    this.showSoon(text);
    await this.#draw();
  }

  /** The same when it is drawn next: for what changes more often, and waits for nobody. */
  showSoon(text: string): void {
    if (!this.live) return;
    if (this.#text === undefined) this.#since = this.#clock.now();
    this.#text = clean(text);
    this.#ticker ??= this.#tick();
  }

  /** Takes the moving line away. */
  async hide(): Promise<void> {
    this.#text = undefined;
    await this.#erase();
  }

  /** The job's bytes, unchanged. */
  async output(sink: Sink, bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength === 0) return;
    await this.#erase();
    // Known before the write, which may wait: the ticker must not draw behind half a line.
    if (sink.stream.isTTY) {
      this.#atLineStart = bytes[bytes.byteLength - 1] === NEWLINE;
      this.#altered ||= bytes.includes(ESCAPE);
    }
    await sink.write(bytes);
  }

  /** Takes the moving line away for good. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ticker;
    await this.hide();
    if (this.live && (!this.#atLineStart || this.#altered)) await this.#begin();
  }

  /** Puts the cursor to the start of an empty line. */
  async #begin(): Promise<void> {
    await this.#erase();
    const reset = this.live && this.#altered ? RESET : '';
    const newline = this.live && !this.#atLineStart ? '\n' : '';
    this.#altered = false;
    this.#atLineStart = true;
    if (reset || newline) await this.context.err.write(reset + newline);
  }

  async #erase(): Promise<void> {
    if (this.#drawn === 0) return;
    const sequence = this.#clearing(this.#width());
    this.#drawn = 0;
    await this.context.err.write(sequence);
  }

  async #draw(): Promise<void> {
    if (this.#text === undefined || !this.#atLineStart) return;
    const seconds = Math.floor((this.#clock.now() - this.#since) / 1000);
    const text = `${FRAMES[this.#frame % FRAMES.length]} ${this.#text}${seconds > 0 ? ` · ${seconds} s` : ''}`;
    const width = this.#width();
    // A column for labels is waste where there are few.
    const line = cutTo(width < NARROW ? text.replaceAll(/ +/g, ' ') : text, Math.max(1, width - 1 - (width > 20 ? ECHO_COLUMNS : 0)));
    const sequence = this.#clearing(width);
    this.#drawn = columnsOf(line);
    await this.context.err.write(sequence + this.style.dim(line));
  }

  /** What takes the moving line away: all its rows, should the window have become narrower than the line. */
  #clearing(width: number): string {
    const rows = reflows(this.context.io.env) ? Math.ceil(this.#drawn / width) : 1;
    return rows > 1 ? `\u001b[${rows - 1}A${CLEAR_BELOW}` : CLEAR_LINE;
  }

  #width(): number {
    return widthOf(this.context.io.stderr, this.context.io.env, 80);
  }

  async #tick(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#frame++;
      await this.#draw();
      await this.#clock.sleep(FRAME_MS, signal).catch(() => undefined);
    }
  }
}
