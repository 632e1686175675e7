/**
 * Maps with up to `ahead` calls under way and gives the results in the order of the items: reads or computes in advance in
 * bounded memory. When one fails, or the consumer leaves, no more are started, and those under way are waited for.
 */
export async function* inOrder<T, R>(items: Iterable<T> | AsyncIterable<T>, ahead: number, fn: (item: T) => Promise<R>): AsyncGenerator<R> {
  const started: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = fn(item);
      // It is awaited below, in its turn: until then a failure has been seen to.
      result.catch(() => undefined);
      started.push(result);
      if (started.length >= ahead) yield await started.shift()!;
    }
    while (started.length > 0) yield await started.shift()!;
  } finally {
    await Promise.allSettled(started);
  }
}
