import { invalidParameter } from './errors';
import { text, whole } from './query';
import type { Params } from './query';

/** One page of a list whose order is that of `keyOf`. The token names the last key shown, so that what goes meanwhile skips nothing. */
export function page<T>(
  items: readonly T[],
  params: Params,
  keyOf: (item: T) => string,
): { readonly items: T[]; readonly nextToken?: string } {
  const maxResults = whole(params, 'MaxResults', 5, 1000) ?? Infinity;
  const after = readToken(text(params, 'NextToken'));
  const sorted = [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).filter((item) => keyOf(item) > after);
  const shown = sorted.slice(0, maxResults);
  const last = shown.at(-1);
  return last !== undefined && shown.length < sorted.length
    ? { items: shown, nextToken: Buffer.from(`after ${keyOf(last)}`).toString('base64') }
    : { items: shown };
}

function readToken(token: string | undefined): string {
  if (!token) return '';
  const read = Buffer.from(token, 'base64').toString();
  if (!read.startsWith('after ')) throw invalidParameter('The token is invalid.');
  return read.slice('after '.length);
}
