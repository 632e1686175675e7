import { invalidCombination, notFound } from './errors';
import type { IdKind } from './errors';
import { texts } from './query';
import type { Params } from './query';

/** The parameter that lists ids, and what it is called in answers that refuse it. */
export interface IdList {
  readonly parameter: string;
  readonly set: string;
  readonly kind: IdKind;
}

/** What the call names, or everything. @throws Invalid….NotFound, InvalidParameterCombination for names and pages at once */
export function choose<T>(all: readonly T[], params: Params, { parameter, set, kind }: IdList, idOf: (item: T) => string): readonly T[] {
  const ids = texts(params, parameter);
  if (ids.length === 0) return all;
  if (params['MaxResults'] !== undefined) {
    throw invalidCombination(`The parameter ${set} cannot be used with the parameter maxResults`);
  }
  const missing = ids.filter((id) => !all.some((item) => idOf(item) === id));
  if (missing.length > 0) throw notFound(kind, missing);
  return all.filter((item) => ids.includes(idOf(item)));
}
