const WITHIN_MS = 10_000;

/** Waits for what nothing tells us of. @throws when it takes too long */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const late = AbortSignal.timeout(WITHIN_MS);
  while (!(await holds())) {
    if (late.aborted) throw new Error(`${what}: not within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
