import type { Candidate } from './candidates';

/** Those that go on from what was typed, each with the part in front that stays as it is. */
export function inPlaceOf(typed: string, all: readonly Candidate[], front = ''): Candidate[] {
  const [first] = all;
  if (first?.value.startsWith(':')) return [first];
  return all.filter(({ value }) => value.startsWith(typed)).map((one) => ({ ...one, value: front + one.value }));
}
