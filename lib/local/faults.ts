import { RawcloudError } from '../contract';
import type { Fault } from './service';

interface Armed {
  readonly fault: Fault;
  readonly service: RegExp;
  readonly operation: RegExp;
  readonly resource: RegExp | undefined;
  skip: number;
  left: number;
}

/** Faults waiting to happen. The first one armed that fits a call is the one that strikes. */
export class Faults {
  #armed: Armed[] = [];

  /** @throws E_LOCAL_CLOUD when `resource` is not a regular expression, or `skip` or `count` is not a whole number in range */
  arm(fault: Fault): void {
    const { service, operation } = splitOperation(fault.operation);
    this.#armed.push({
      fault,
      service,
      operation,
      resource: fault.resource === undefined ? undefined : pattern(fault.resource),
      skip: whole(fault.skip ?? 0, 0, 'skip'),
      left: whole(fault.count ?? 1, 1, 'count'),
    });
  }

  clear(): void {
    this.#armed = [];
  }

  /** What is still to come, in order of arming. */
  get armed(): readonly Fault[] {
    return this.#armed.map((a) => a.fault);
  }

  /** The effect for one call, used up by asking. `resource` is `bucket/key` for S3; faults see the key alone. */
  take(service: string, operation: string, resource: string, region = ''): Fault['effect'] | undefined {
    const subject = service === 's3' ? resource.slice(resource.indexOf('/') + 1) : resource;
    for (const armed of this.#armed) {
      if (!fits(armed, service, operation, subject)) continue;
      if (armed.fault.region !== undefined && armed.fault.region !== region) continue;
      if (armed.skip > 0) {
        armed.skip--;
        continue;
      }
      armed.left--;
      if (armed.left === 0) this.#armed = this.#armed.filter((a) => a !== armed);
      return armed.fault.effect;
    }
    return undefined;
  }
}

function fits(armed: Armed, service: string, operation: string, resource: string): boolean {
  return armed.service.test(service) && armed.operation.test(operation) && (armed.resource?.test(resource) ?? true);
}

/** `PutObject` fits any service, `s3:*` only S3. */
function splitOperation(text: string): { service: RegExp; operation: RegExp } {
  const colon = text.indexOf(':');
  return colon < 0
    ? { service: /^/, operation: glob(text) }
    : { service: glob(text.slice(0, colon)), operation: glob(text.slice(colon + 1)) };
}

function glob(text: string): RegExp {
  const escaped = text.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`);
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new RawcloudError('E_LOCAL_CLOUD', `the fault's resource '${text}' is not a regular expression`, { cause });
  }
}

function whole(value: number, least: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RawcloudError('E_LOCAL_CLOUD', `the fault's ${what} is ${value}; allowed are whole numbers from ${least}`);
}
