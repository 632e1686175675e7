import { ServiceError } from '../service';
import { invalidParameter } from './errors';
import { text } from './query';
import type { Params } from './query';

/** What MaxResults may be, and what it is when the call does not say. */
export interface PageLimits {
  readonly min: number;
  readonly max: number;
  /** @default - no limit */
  readonly otherwise?: number;
}

/** Of most calls. Source: EC2 API reference, MaxResults of DescribeInstances, DescribeTags and others. */
const USUAL: PageLimits = { min: 5, max: 1000 };

/** One page of a list whose order is that of `keyOf`. The token names the last key shown, so that what goes meanwhile skips nothing. */
export function page<T>(
  items: readonly T[],
  params: Params,
  keyOf: (item: T) => string,
  { min, max, otherwise = Infinity }: PageLimits = USUAL,
): { readonly items: T[]; readonly nextToken?: string } {
  const maxResults = readMaxResults(params, min, max) ?? otherwise;
  const after = readToken(text(params, 'NextToken'));
  const keyed = items.map((item) => ({ key: keyOf(item), item })).filter(({ key }) => key > after);
  const sorted = keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  const shown = sorted.slice(0, maxResults);
  const last = shown.at(-1);
  const nextToken = last !== undefined && shown.length < sorted.length ? Buffer.from(`after ${last.key}`).toString('base64') : undefined;
  return { items: shown.map(({ item }) => item), ...(nextToken === undefined ? {} : { nextToken }) };
}

function readMaxResults(params: Params, min: number, max: number): number | undefined {
  const value = text(params, 'MaxResults');
  if (value === undefined) return undefined;
  const refuse = (expected: string): Error =>
    invalidParameter(`Value ( ${value} ) for parameter maxResults is invalid. Expecting a value ${expected}.`);
  if (!/^\d+$/.test(value) || Number(value) < min) throw refuse(`greater than ${min}`);
  if (Number(value) > max) throw refuse(`less than ${max}`);
  return Number(value);
}

function readToken(token: string | undefined): string {
  if (!token) return '';
  const read = Buffer.from(token, 'base64').toString();
  if (!read.startsWith('after ')) throw new ServiceError(400, 'InvalidNextToken', 'The specified NextToken is not valid.');
  return read.slice('after '.length);
}
