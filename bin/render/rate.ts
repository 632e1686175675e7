import { formatDuration, formatSize } from '../../lib/contract';
import type { Clock } from '../../lib/contract';

/** A rate is that of so long a time: what was there from an earlier try, or came by itself, is soon forgotten. */
const WINDOW_MS = 10_000;
/** Before that a rate is chance. */
const LEAST_MS = 1_000;
/** Between two that are kept. */
const SAMPLE_MS = 200;

/** How fast bytes go, and when they will all be there. */
export class Rate {
  #samples: { readonly at: number; readonly bytes: number }[] = [];

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  /** `1.0 GiB of 5.0 GiB · 84.0 MiB/s · 48 s to go`, as far as it can be told. */
  text(bytes: number, totalBytes: number): string {
    return `${formatSize(bytes)} of ${formatSize(totalBytes)}${this.suffix(bytes, totalBytes)}`;
  }

  /** What stands behind the bytes: ` · 84.0 MiB/s · 48 s to go`. */
  suffix(bytes: number, totalBytes: number): string {
    const now = this.clock.now();
    const last = this.#samples.at(-1);
    if (last === undefined || now - last.at >= SAMPLE_MS) this.#samples.push({ at: now, bytes });
    while (this.#samples.length > 2 && this.#samples[1]!.at <= now - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0]!;
    if (now - first.at < LEAST_MS || bytes <= first.bytes) return '';
    const perSecond = (bytes - first.bytes) / ((now - first.at) / 1000);
    const leftS = Math.ceil((totalBytes - bytes) / perSecond);
    return ` · ${formatSize(Math.round(perSecond))}/s${leftS > 0 ? ` · ${leftS < 60 ? `${leftS} s` : formatDuration(leftS)} to go` : ''}`;
  }
}
