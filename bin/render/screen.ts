import { stripVTControlCharacters } from 'node:util';
import type { Clock } from '../../lib/contract';
import type { Context } from '../context';
import type { Sink } from '../sink';
import { isLive, styleFor, widthOf } from './style';
import type { Style } from './style';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const CLEAR_LINE = '\r\u001b[K';
const NEWLINE = 10;

/**
 * stderr (and a job's stdout, when both are one terminal): lines that stay, one line that moves, and the job's own bytes
 * in between, never on top of one another.
 *
 * The moving line exists only on a terminal. It is drawn by a ticker that lives from the first {@link live} to {@link close}.
 */
export class Screen {
  readonly style: Style;
  readonly live: boolean;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #ticker: Promise<void> | undefined;
  #text: string | undefined;
  #since = 0;
  #drawn = false;
  #frame = 0;
  #atLineStart = true;

  constructor(private readonly context: Context) {
    this.#clock = context.io.clock;
    this.live = isLive(context.io.stderr, context.io.env);
    this.style = styleFor(context.io.stderr, context.io.env);
  }

  /** A line that stays. */
  async line(text: string): Promise<void> {
    this.#text = undefined;
    await this.#begin();
    await this.context.err.write(`${text}\n`);
  }

  /** The line that moves; does nothing where there is no terminal. */
  async show(text: string): Promise<void> {
    if (!this.live) return;
    if (this.#text === undefined) this.#since = this.#clock.now();
    this.#text = text;
    this.#ticker ??= this.#tick();
    await this.#draw();
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
    await sink.write(bytes);
    if (sink.stream.isTTY) this.#atLineStart = bytes[bytes.byteLength - 1] === NEWLINE;
  }

  /** Takes the moving line away for good. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ticker;
    await this.hide();
    if (this.live && !this.#atLineStart) await this.#begin();
  }

  /** Puts the cursor to the start of an empty line. */
  async #begin(): Promise<void> {
    await this.#erase();
    if (this.live && !this.#atLineStart) await this.context.err.write('\n');
    this.#atLineStart = true;
  }

  async #erase(): Promise<void> {
    if (!this.#drawn) return;
    this.#drawn = false;
    await this.context.err.write(CLEAR_LINE);
  }

  async #draw(): Promise<void> {
    if (this.#text === undefined || !this.#atLineStart) return;
    const seconds = Math.floor((this.#clock.now() - this.#since) / 1000);
    const plain = stripVTControlCharacters(this.#text);
    const text = `${FRAMES[this.#frame % FRAMES.length]} ${plain}${seconds > 0 ? ` · ${seconds} s` : ''}`;
    const width = widthOf(this.context.io.stderr, this.context.io.env, 80);
    this.#drawn = true;
    await this.context.err.write(`${CLEAR_LINE}${this.style.dim(text.slice(0, width - 1))}`);
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
