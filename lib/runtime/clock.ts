import type { Clock } from '../contract';

/** The machine's clock: the only place where the runtime touches it. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const wake = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      const stop = (): void => {
        clearTimeout(wake);
        reject(signal!.reason);
      };
      signal?.addEventListener('abort', stop, { once: true });
    }),
};
