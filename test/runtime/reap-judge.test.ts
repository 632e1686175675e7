import fc from 'fast-check';
import { TAGS, TEMPLATE_TAG } from '../../lib/contract';
import type { LeftoverKind, Mark, Thing } from '../../lib/contract';
import { judge, OVERDUE_MS, PATIENCE_MS } from '../../lib/runtime/reap/judge';
import type { Seen } from '../../lib/runtime/reap/judge';

const START = Date.parse('2026-11-23T12:00:00Z');
const DAY = 86_400_000;

const vm = (id: string, job: string, tags: Record<string, string> = {}): Thing => ({
  kind: 'vm',
  id,
  inUse: false,
  tags: { [TAGS.scaffold]: 'default', [TAGS.job]: job, [TAGS.until]: new Date(START + DAY).toISOString(), [TEMPLATE_TAG]: 'lt-1', ...tags },
});

const seen = (things: readonly Thing[], over: Partial<Seen> = {}): Seen => ({
  now: START,
  things,
  openJobs: new Set(['open']),
  stuckJobs: new Set(),
  knownJobs: new Map([['over', START - DAY]]),
  named: new Set(['lt-1', 'sg-1']),
  ...over,
});

const whys = (s: Seen): Record<string, string> => Object.fromEntries(judge(s, []).marks.map(({ id, why }) => [id, why]));

describe('what is a leftover', () => {
  test('a VM is one when its job is not open', () => {
    expect(whys(seen([vm('i-1', 'open'), vm('i-2', 'over'), vm('i-3', 'nobody knows')]))).toEqual({
      'i-2': 'no-open-job',
      'i-3': 'no-open-job',
    });
  });

  test('a VM that carries our tags and was not launched from a template of ours is somebody else’s', () => {
    const forged = [vm('i-1', 'over', { [TEMPLATE_TAG]: 'lt-theirs' }), { ...vm('i-2', 'over'), tags: { [TAGS.scaffold]: 'default' } }];
    expect(whys(seen(forged))).toEqual({ 'i-1': 'foreign', 'i-2': 'foreign' });
    expect(judge(seen(forged, { now: START + 30 * DAY }), judge(seen(forged), []).marks).due).toEqual([]);
  });

  test('a VM of a job that cannot be advanced is one when it is long past its lifetime, and not before', () => {
    const stuck = { stuckJobs: new Set(['open']) };
    expect(whys(seen([vm('i-1', 'open')], { ...stuck, now: START + DAY + OVERDUE_MS }))).toEqual({});
    expect(whys(seen([vm('i-1', 'open')], { ...stuck, now: START + DAY + OVERDUE_MS + 1 }))).toEqual({ 'i-1': 'past-lifetime' });
    expect(whys(seen([vm('i-1', 'open', { [TAGS.until]: 'nonsense' })], { ...stuck, now: START + 99 * DAY }))).toEqual({});
    expect(whys(seen([vm('i-1', 'open')], { now: START + 99 * DAY }))).toEqual({});
  });

  test('a loose volume or interface is one when its job is known and over', () => {
    const tags = (job: string) => ({ [TAGS.scaffold]: 'default', [TAGS.job]: job });
    const volume = (id: string, job: string, over: Partial<Thing> = {}): Thing => ({
      kind: 'volume',
      id,
      inUse: false,
      tags: tags(job),
      createdAt: START,
      ...over,
    });
    const things = [
      volume('vol-1', 'over'),
      volume('vol-2', 'over', { inUse: true }),
      volume('vol-3', 'open'),
      volume('vol-4', 'nobody knows'),
      volume('vol-5', 'over', { createdAt: START - 2 * DAY }),
      volume('eni-1', 'over', { kind: 'interface' }),
    ];
    expect(whys(seen(things))).toEqual({ 'vol-1': 'unattached', 'vol-4': 'foreign', 'vol-5': 'foreign', 'eni-1': 'unattached' });
  });

  test('a template or group is one when neither scaffolding, job nor stack has it, and nothing is in it', () => {
    const thing = (kind: LeftoverKind, id: string, over: Partial<Thing> = {}): Thing => ({ kind, id, inUse: false, tags: {}, ...over });
    const things = [
      thing('template', 'lt-1'),
      thing('template', 'lt-2'),
      thing('group', 'sg-1'),
      thing('group', 'sg-2'),
      thing('group', 'sg-3', { inUse: true }),
      thing('group', 'sg-4', { tags: { 'aws:cloudformation:stack-id': 'arn' } }),
    ];
    expect(whys(seen(things))).toEqual({ 'lt-2': 'unused', 'sg-2': 'unused' });
  });
});

test('what turns out to be ours after all gets its time from then on', () => {
  const theirs = judge(seen([vm('i-1', 'over')], { named: new Set() }), []);
  expect(theirs.marks).toMatchObject([{ why: 'foreign', since: START }]);
  const ours = judge(seen([vm('i-1', 'over')], { now: START + DAY }), theirs.marks);
  expect(ours).toMatchObject({ marked: [{ id: 'i-1' }], due: [], marks: [{ why: 'no-open-job', since: START + DAY }] });
});

/* The laws, over random worlds that change from pass to pass, and clocks that go on as they like. */

const JOBS = ['a', 'b', 'c'];
const some = (of: readonly string[]) => fc.subarray([...of]).map((chosen) => new Set(chosen));
const thing: fc.Arbitrary<Thing> = fc
  .record({
    kind: fc.constantFrom<LeftoverKind>('vm', 'volume', 'interface', 'template', 'group'),
    n: fc.nat(3),
    inUse: fc.boolean(),
    createdAt: fc.option(fc.integer({ min: START - 2 * DAY, max: START }), { nil: undefined }),
    tags: fc
      .record(
        {
          [TAGS.job]: fc.constantFrom(...JOBS, 'nobody knows'),
          [TEMPLATE_TAG]: fc.constantFrom('lt-1', 'lt-theirs'),
          [TAGS.until]: fc.constantFrom(new Date(START).toISOString(), new Date(START + DAY).toISOString(), 'nonsense'),
          'aws:cloudformation:stack-id': fc.constant('arn'),
        },
        { requiredKeys: [] },
      )
      .map((tags) => ({ [TAGS.scaffold]: 'default', ...(tags as Record<string, string>) })),
  })
  .map(({ kind, n, inUse, createdAt, tags }) => ({
    kind,
    id: `${kind}-${n}`,
    inUse: kind !== 'vm' && inUse,
    tags,
    ...(createdAt === undefined ? {} : { createdAt }),
  }));
const world: fc.Arbitrary<Seen & { later: number }> = fc
  .record({
    // The store's clock, too, may be set back.
    later: fc.oneof(fc.nat(120_000), fc.nat(2 * DAY), fc.integer({ min: -2 * DAY, max: 0 })),
    things: fc.uniqueArray(thing, { selector: ({ id }) => id, maxLength: 12 }),
    openJobs: some(JOBS),
    stuck: some(JOBS),
    known: some(JOBS),
  })
  .map(({ stuck, known, ...rest }) => ({
    ...rest,
    now: 0,
    stuckJobs: new Set([...stuck].filter((job) => rest.openJobs.has(job))),
    knownJobs: new Map([...known].map((job) => [job, START - DAY])),
    named: new Set(['lt-1', 'sg-1', 'template-0']),
  }));

function passes(
  worlds: readonly (Seen & { later: number })[],
  check: (pass: Seen, verdict: ReturnType<typeof judge>, before: readonly Mark[]) => void,
): void {
  let [now, marks]: [number, readonly Mark[]] = [START, []];
  for (const { later, ...rest } of worlds) {
    now += later;
    const pass = { ...rest, now };
    const verdict = judge(pass, marks);
    check(pass, verdict, marks);
    marks = verdict.marks;
  }
}

const history = fc.array(world, { minLength: 1, maxLength: 6 });
const RUNS = { numRuns: 2_000 };

test('nothing is due that was not marked before, as what it is now, for as long as its kind has', () => {
  fc.assert(
    fc.property(history, (worlds) =>
      passes(worlds, ({ now }, { due }, before) => {
        for (const mark of due) {
          const known = before.find(({ kind, id }) => kind === mark.kind && id === mark.id);
          expect(known).toBeDefined();
          expect(known!.why).not.toBe('foreign');
          expect(now - known!.since).toBeGreaterThanOrEqual(PATIENCE_MS[mark.kind]);
        }
      }),
    ),
    RUNS,
  );
});

test('what works, is in use or is not ours is never due', () => {
  fc.assert(
    fc.property(history, (worlds) =>
      passes(worlds, (pass, { due }) => {
        for (const { kind, id } of due) {
          const found = pass.things.find((t) => t.kind === kind && t.id === id)!;
          const job = found.tags[TAGS.job] ?? '';
          expect(found.inUse).toBe(false);
          if (kind === 'vm') expect(found.tags[TEMPLATE_TAG]).toBe('lt-1');
          if (kind === 'vm' && pass.openJobs.has(job)) {
            expect(pass.stuckJobs).toContain(job);
            expect(pass.now).toBeGreaterThan(Date.parse(found.tags[TAGS.until]!) + OVERDUE_MS);
          }
          if (kind === 'volume' || kind === 'interface') {
            expect(pass.knownJobs.has(job)).toBe(true);
            expect(pass.openJobs).not.toContain(job);
          }
          if (kind === 'template' || kind === 'group') expect(pass.named).not.toContain(id);
        }
      }),
    ),
    RUNS,
  );
});

test('what stays a leftover is due as soon as its time is over', () => {
  fc.assert(
    fc.property(world, fc.nat(3 * DAY), (first, laterMs) => {
      const at = { ...first, now: START };
      const { marks } = judge(at, []);
      const again = judge({ ...at, now: START + laterMs }, marks);
      const ripe = marks.filter(({ kind, why }) => why !== 'foreign' && laterMs >= PATIENCE_MS[kind]);
      expect(again.due.map(({ id }) => id)).toEqual(expect.arrayContaining(ripe.map(({ id }) => id)));
      expect(again.marked.filter(({ why }) => why !== 'past-lifetime')).toEqual([]);
    }),
    RUNS,
  );
});

test('a mark goes with its thing, and is cleared when the thing stays', () => {
  fc.assert(
    fc.property(history, (worlds) =>
      passes(worlds, ({ things }, { marks, cleared, marked }, before) => {
        const has = (list: readonly { id: string }[], id: string): boolean => list.some((l) => l.id === id);
        for (const { id } of before) expect(has(marks, id) || has(cleared, id) || !has(things, id)).toBe(true);
        for (const { id } of cleared) expect(has(things, id) && !has(marks, id)).toBe(true);
        for (const { id } of marked) expect(has(marks, id)).toBe(true);
      }),
    ),
    RUNS,
  );
});
