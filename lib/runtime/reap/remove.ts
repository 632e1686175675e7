import { mapBounded } from '../../contract';
import type { Leftover, Unproved } from '../../contract';
import type { ReapDeps } from './deps';
import { unproved } from './unproved';

/** VMs ended by one call. EC2 takes 1000; fewer, so that one refusal holds up few. */
const VMS_PER_CALL = 100;
/** Deletions at once: EC2 allows about five a second for long. */
const AT_ONCE = 4;

export interface Removal {
  readonly removed: readonly Leftover[];
  readonly unproved: readonly Unproved[];
}

/** Ends VMs and deletes what else is left. What fails for one does not stop the others. */
export async function remove(
  { compute, remains }: Pick<ReapDeps, 'compute' | 'remains'>,
  due: readonly Leftover[],
  signal?: AbortSignal,
): Promise<Removal> {
  const vms = due.filter(({ kind }) => kind === 'vm');
  const others = due.filter(({ kind }) => kind !== 'vm');
  const calls = [
    ...groupsOf(vms, VMS_PER_CALL).map((group) => ({ group, call: () => compute.terminate(group.map(({ id }) => id)) })),
    ...others.map((leftover) => ({
      group: [leftover],
      call: async () => leftover.kind !== 'vm' && remains.remove(leftover.kind, leftover.id),
    })),
  ];
  const results = await mapBounded(calls, AT_ONCE, async ({ group, call }): Promise<Removal> => {
    try {
      signal?.throwIfAborted();
      await call();
      return { removed: group, unproved: [] };
    } catch (error) {
      signal?.throwIfAborted();
      return { removed: [], unproved: group.map(({ kind, id }) => unproved(`${kind} ${id}`, error)) };
    }
  });
  return { removed: results.flatMap((r) => r.removed), unproved: results.flatMap((r) => r.unproved) };
}

function groupsOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}
