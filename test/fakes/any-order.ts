import type { Scheduler } from 'fast-check';

/**
 * A port whose calls are served when the scheduler says so, in whatever order that is. What is called and answered is in no report of
 * fast-check's, which would write out every byte of every object; lists are served at once, as they are no promises.
 */
export function inAnyOrder<T extends object>(scheduler: Scheduler, port: T): T {
  return new Proxy(port, {
    get(object, name, receiver): unknown {
      const member: unknown = Reflect.get(object, name, receiver);
      if (typeof member !== 'function' || name === 'list') return member;
      return async (...args: unknown[]): Promise<unknown> => {
        await scheduler.schedule(Promise.resolve(), String(name));
        return Reflect.apply(member, object, args);
      };
    },
  });
}
