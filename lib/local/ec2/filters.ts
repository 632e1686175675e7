import { ServiceError } from '../service';
import { invalidParameter } from './errors';
import { structures, text, texts } from './query';
import type { Params } from './query';
import type { Tags } from './records';

/** What each filter compares with. `tag:<key>`, `tag-key` and `tag-value` come by themselves where tags are given. */
export interface Filterable<T> {
  readonly values: Readonly<Record<string, (item: T) => string | readonly string[] | undefined>>;
  readonly tags?: (item: T) => Tags;
}

/** Source: EC2 API reference, Filter: a request can have up to 200 values a filter. */
const MAX_VALUES = 200;

/** Keeps what all filters of the request fit. `*` and `?` are wildcards. @throws InvalidParameterValue for an unknown filter */
export function applyFilters<T>(items: readonly T[], params: Params, filterable: Filterable<T>): T[] {
  const tests = structures(params, 'Filter').map((filter) => {
    const name = text(filter, 'Name') ?? '';
    const values = texts(filter, 'Value');
    if (values.length > MAX_VALUES) throw tooManyValues(values.length);
    const wanted = values.map(pattern);
    const read = reader(name, filterable);
    return (item: T): boolean => [read(item)].flat().some((got) => got !== undefined && wanted.some((w) => w.test(got)));
  });
  return items.filter((item) => tests.every((test) => test(item)));
}

function reader<T>(name: string, { values, tags }: Filterable<T>): (item: T) => string | readonly string[] | undefined {
  const read = Object.hasOwn(values, name) ? values[name] : undefined;
  if (read) return read;
  if (tags && name === 'tag-key') return (item) => Object.keys(tags(item));
  if (tags && name === 'tag-value') return (item) => Object.values(tags(item));
  if (tags && name.startsWith('tag:')) return (item) => tags(item)[name.slice('tag:'.length)];
  throw invalidParameter(`The filter '${name}' is invalid`);
}

/** A backslash takes a wildcard's meaning away. Source: EC2 user guide, "List and filter your resources". */
function pattern(text: string): RegExp {
  const source = text.replace(/\\([*?\\])|([*?])|([.+^${}()|[\]\\])/g, (_, literal: string, wild: string, special: string) => {
    if (wild) return wild === '*' ? '.*' : '.';
    return `\\${literal ?? special}`;
  });
  return new RegExp(`^${source}$`, 's');
}

function tooManyValues(count: number): ServiceError {
  const message = `The maximum number of filter values specified on a single call is ${MAX_VALUES}; there are ${count}.`;
  return new ServiceError(400, 'FilterLimitExceeded', message);
}
