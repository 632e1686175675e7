type SetTimer = (callback: (...args: unknown[]) => void, delayMs?: number, ...args: unknown[]) => NodeJS.Timeout;

interface Sandbox {
  setTimeout: SetTimer;
  setInterval: SetTimer;
}

/**
 * Timers that tests start by the globals of their sandbox. Node's own list of what is active cannot tell them
 * from jest's: those of its reporters come and go while a file runs.
 */
export class TimerWatch {
  private readonly started: { readonly timer: NodeJS.Timeout; readonly what: string }[] = [];

  constructor(sandbox: Sandbox) {
    for (const name of ['setTimeout', 'setInterval'] as const) this.wrap(sandbox, name);
  }

  /** One line for each timer that still holds the process. */
  pending(): string[] {
    return this.started.filter(({ timer }) => isActive(timer)).map(({ what }) => what);
  }

  private wrap(sandbox: Sandbox, name: 'setTimeout' | 'setInterval'): void {
    const original = sandbox[name];
    const wrapped: SetTimer = (callback, delayMs, ...args) => {
      const timer = original(callback, delayMs, ...args);
      this.started.push({ timer, what: `${name} of ${delayMs ?? 0} ms still runs: ${String(callback).slice(0, 100)}` });
      return timer;
    };
    // util.promisify(setTimeout) finds its form by a symbol.
    Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
    Object.defineProperty(sandbox, name, { value: wrapped, configurable: true, writable: true, enumerable: true });
  }
}

/** Node tells whether a timer holds the process, but only by a field of its own whether it has fired or was cleared. */
function isActive(timer: NodeJS.Timeout): boolean {
  return timer.hasRef() && Reflect.get(timer, '_destroyed') !== true;
}
