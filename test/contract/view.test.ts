import fc from 'fast-check';
import { addObject, jobKeys, noObjects, SETTLE_MS, view } from '../../lib/contract';
import type { Instance, JobView, ObservedObject } from '../../lib/contract';
import { beat, control, done, instance, launch, launched, object, objects, outcome, PREFIX, spec, START, VM } from '../fakes/records';

function see(seen: readonly ObservedObject[], instances: readonly Instance[] = [], now = START + 1000, current = true): JobView {
  return view(seen.reduce(addObject, noObjects(PREFIX)), { instances, current }, now);
}

/** Every kind of object, the rewritten ones in several revisions. */
const HISTORY: readonly ObservedObject[] = [
  objects.spec(),
  objects.launch(launch({ rev: 0 }), START),
  objects.launch(launch({ rev: 1, state: 'failed', failure: { class: 'capacity', code: 'X', message: 'x' } }), START + 10),
  objects.launch(launched({ n: 1, rev: 1 }), START + 20),
  objects.launch(launched({ n: 1, rev: 3 }), START + 30),
  objects.control(control({ rev: 0 }), START),
  objects.control(control({ rev: 4, stop: { at: START + 40, by: 'me' } }), START + 40),
  objects.beat(beat({ rev: 0, phase: 'preparing' }), START + 50),
  objects.beat(beat({ rev: 7, phase: 'busy' }), START + 60),
  objects.done(done(3), START + 70),
  objects.outcome(outcome({ outcome: 'failed', exitCode: 3 }), START + 80),
  object(`${PREFIX}something/new.json`, { v: 9 }),
  object(jobKeys.log(PREFIX, 'AROAX:i-1', 3), 'not json at all'),
];

describe('view', () => {
  test('is the same whatever the order in which objects arrive, and however often', () => {
    const expected = see(HISTORY, [instance()]);
    fc.assert(
      fc.property(fc.shuffledSubarray([...HISTORY], { minLength: HISTORY.length }), fc.subarray([...HISTORY]), (order, again) => {
        expect(see([...order, ...again], [instance()])).toEqual(expected);
      }),
    );
  });

  test('goes through the states of a job', () => {
    expect(see([objects.spec()]).state).toBe('recorded');
    expect(see([objects.spec(), objects.launch(launch())]).state).toBe('launching');
    expect(see([objects.spec(), objects.launch(launched()), objects.beat(beat())]).state).toBe('running');
    expect(see([objects.spec(), objects.launch(launched()), objects.outcome(outcome())]).state).toBe('ending');
  });

  test.each([
    ['pending', undefined, 'pending'],
    ['running', undefined, 'booting'],
    ['running', 'preparing', 'preparing'],
    ['running', 'busy', 'busy'],
    ['shutting-down', 'busy', 'ending'],
    ['stopped', undefined, 'ending'],
    ['terminated', 'busy', 'gone'],
  ] as const)('a VM that EC2 calls %s, with beat %s, is %s', (state, phase, expected) => {
    const beats = phase ? [objects.beat(beat({ phase }))] : [];
    expect(see([objects.spec(), objects.launch(launched()), ...beats], [instance({ state })]).vms[0]?.state).toBe(expected);
  });

  test('a VM that EC2 does not show is not gone while it is new', () => {
    const seen = [objects.spec(), objects.launch(launched(), START)];
    expect(see(seen, [], START + SETTLE_MS - 1).vms[0]?.state).toBe('requested');
    expect(see(seen, [], START + SETTLE_MS).vms[0]?.state).toBe('gone');
  });

  test('a VM that EC2 does not show is not gone while it beats, nor when EC2 was not asked', () => {
    const seen = [objects.spec(), objects.launch(launched(), START), objects.beat(beat(), START + 500_000)];
    expect(see(seen, [], START + 501_000).vms[0]?.state).toBe('busy');
    expect(see(seen, [], START + 900_000, false).vms[0]?.state).toBe('busy');
    expect(see(seen, [], START + 900_000).vms[0]?.state).toBe('gone');
  });

  test('silent is a flag that stands after the beats that a VM misses at its slowest, by the store’s clock', () => {
    const seen = [objects.spec(), objects.launch(launched()), objects.beat(beat(), START)];
    expect(see(seen, [instance()], START + 89_999).vms[0]?.silent).toBe(false);
    expect(see(seen, [instance()], START + 90_000).vms[0]).toMatchObject({ silent: true, state: 'busy', id: VM });
  });

  test('an instance that no record names is a stray', () => {
    const stray = instance({ id: 'i-00000000000000009' });
    expect(see([objects.spec(), objects.launch(launched())], [instance(), stray]).strays).toEqual([stray]);
  });

  test('the lifetime ends as asked for, or where control moved it', () => {
    expect(see([objects.spec(spec({ limits: { lifetimeS: 60, graceS: 1, retries: [] } }))]).lifetimeUntil).toBe(START + 60_000);
    expect(see([objects.spec(), objects.control(control({ lifetimeUntil: 42 }))]).lifetimeUntil).toBe(42);
  });

  test('fails by name on a record of a newer version', () => {
    expect(() => see([object(jobKeys.spec(PREFIX), { v: 2 })])).toThrow(expect.objectContaining({ code: 'E_NEWER' }));
  });

  test('fails on a record of another shape, naming the member', () => {
    expect(() => see([object(jobKeys.outcome(PREFIX), { v: 1, outcome: 'perhaps' })])).toThrow(/outcome/);
  });
});
