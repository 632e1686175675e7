import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TAGS, TEMPLATE_TAG } from '../../lib/contract';
import type { Mark, Thing } from '../../lib/contract';
import { judge, PATIENCE_MS } from '../../lib/runtime/reap/judge';

const PAGE = path.join(__dirname, '../../docs/reaper.md');

/** What a VM may be like in a pass: not there, needed, left over, or somebody else's. */
const SITUATIONS = ['gone', 'needed', 'left', 'theirs'] as const;
type Situation = (typeof SITUATIONS)[number];
/** Since the pass before: a moment, or long enough. */
const PAUSES = [1, PATIENCE_MS.vm];

const vm: Thing = { kind: 'vm', id: 'i-1', inUse: false, tags: { [TAGS.job]: 'job', [TEMPLATE_TAG]: 'lt-1' } };

type State = '[*]' | 'Marked' | 'Removed' | 'Foreign';

function pass(situation: Situation, now: number, marks: readonly Mark[]): { marks: readonly Mark[]; state: State } {
  const { due, marks: after } = judge(
    {
      now,
      things: situation === 'gone' ? [] : [vm],
      openJobs: new Set(situation === 'needed' ? ['job'] : []),
      stuckJobs: new Set(),
      knownJobs: new Map(),
      named: new Set(situation === 'theirs' ? [] : ['lt-1']),
    },
    marks,
  );
  const [mark] = after;
  const state = mark === undefined ? '[*]' : mark.why === 'foreign' ? 'Foreign' : due.length > 0 ? 'Removed' : 'Marked';
  return { marks: after, state };
}

/** Every step that any four passes can make. */
function stepsOfTheCode(): Set<string> {
  const steps = new Set<string>();
  const go = (left: number, now: number, marks: readonly Mark[], state: State): void => {
    if (left === 0) return;
    for (const situation of SITUATIONS)
      for (const pause of PAUSES) {
        const next = pass(situation, now + pause, marks);
        if (state !== '[*]' || next.state !== '[*]') steps.add(`${state} --> ${next.state}`);
        go(left - 1, now + pause, next.marks, next.state);
      }
  };
  go(4, 0, [], '[*]');
  return steps;
}

test('the diagram shows every step that the code makes, and no other', () => {
  const [, diagram = ''] = /```mermaid\n([^]*?)```/.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const drawn = [...diagram.matchAll(/^ +(\S+ --> [^:\s]+):/gm)].map(([, step]) => step!);
  expect([...stepsOfTheCode()].sort()).toEqual(drawn.sort());
});
