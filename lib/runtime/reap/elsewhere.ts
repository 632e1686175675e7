import { jobOfThing } from '../../contract';
import type { Elsewhere, Leftover, LeftoverKind, Unproved } from '../../contract';
import { askRegions } from '../ask-regions';
import type { Answers } from '../ask-regions';
import type { ReapDeps } from './deps';
import { SIGN_OF_LIFE_MS } from './marks';
import type { KnownMarks } from './marks';
import { unproved } from './unproved';

/** What costs. Templates and groups cost nothing, and a scaffolding that is being laid down there has them before its parameter. */
const KINDS: readonly LeftoverKind[] = ['vm', 'volume', 'interface'];

export interface ElsewherePass {
  readonly elsewhere: Elsewhere;
  /** Not said before. */
  readonly news: readonly Leftover[];
  readonly unproved: readonly Unproved[];
}

type Deps = Pick<ReapDeps, 'otherRegions' | 'scaffold'>;

/**
 * Once an hour: looks through the account's other regions for what carries the scaffolding's tag. It launches in its own alone,
 * so what is there is of another one of its name that is gone, or carries a forged tag: nothing proves whose it is, so it is
 * told and left alone. Regions that could not be asked are told, and asked again by the next pass.
 */
export async function lookElsewhere(
  deps: Deps,
  known: Pick<KnownMarks, 'now' | 'elsewhere'>,
  signal?: AbortSignal,
): Promise<ElsewherePass> {
  const before = known.elsewhere ?? { at: 0, unasked: [], found: [] };
  const isDue = known.now - before.at >= SIGN_OF_LIFE_MS;
  try {
    const regions = isDue ? await watched(deps, signal) : before.unasked;
    if (regions.length === 0 && !isDue) return { elsewhere: before, news: [], unproved: [] };
    const answers = await askRegions(deps.otherRegions, { regions, scaffold: deps.scaffold.name, kinds: KINDS }, signal);
    const found = leftovers(answers);
    const unasked = answers.failed.map(({ region }) => region);
    // What was found in a region that does not answer now stands; in one that is no longer asked it does not.
    const kept = before.found.filter(({ region = '' }) => unasked.includes(region) || !(isDue || regions.includes(region)));
    return {
      elsewhere: { at: isDue ? known.now : before.at, unasked, found: [...kept, ...found] },
      news: found.filter(({ id, region }) => !before.found.some((f) => f.id === id && f.region === region)),
      unproved: answers.failed.map(({ region, error }) => unproved(`region ${region}`, error)),
    };
  } catch (error) {
    signal?.throwIfAborted();
    return { elsewhere: before, news: [], unproved: [unproved('regions', error)] };
  }
}

async function watched({ otherRegions, scaffold }: Deps, signal: AbortSignal | undefined): Promise<readonly string[]> {
  return scaffold.watchedRegions ?? otherRegions.list(signal ? { signal } : {});
}

/** What is attached goes with its VM, which is told. */
function leftovers({ found }: Answers): Leftover[] {
  return found
    .filter(({ thing }) => !thing.inUse)
    .map(({ region, thing }) => ({ kind: thing.kind, id: thing.id, why: 'elsewhere', region, ...jobOfThing(thing) }));
}
