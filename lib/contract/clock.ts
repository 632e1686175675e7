import type { Clock } from './ports';

/** Node's timers cannot wait longer. Source: Node's documentation of setTimeout. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock: the only place that touches it. It sleeps for weeks if it must. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    let leftMs = Math.max(0, ms);
    do {
      const nowMs = Math.min(leftMs, LONGEST_TIMER_MS);
      await sleepOnce(nowMs, signal);
      leftMs -= nowMs;
    } while (leftMs > 0);
  },
};

function sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(wake);
      reject(signal!.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}
