/**
 * Maps with at most `limit` calls under way. Results stand in the order of the items. The first failure aborts
 * the signal that the others got, waits for them to settle, and is thrown.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  fn: (item: T, index: number, signal: AbortSignal) => Promise<R>,
  options: { signal?: AbortSignal } = {},
): Promise<R[]> {
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      signal.throwIfAborted();
      const index = next++;
      results[index] = await fn(items[index]!, index, signal);
    }
  };
  const workers = Array.from({ length: Math.min(Math.max(1, limit), items.length) }, () =>
    worker().catch((error: unknown) => {
      if (!failed.signal.aborted) failed.abort(error);
    }),
  );
  await Promise.all(workers);
  options.signal?.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  return results;
}
