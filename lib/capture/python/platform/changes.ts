import { canonicalName } from '../../../contract';
import type { Notice } from '../../../contract';
import type { Distribution } from '../distributions';
import type { Chosen } from './choose';
import type { Graph } from './graph';

interface Selected {
  readonly installed: readonly Distribution[];
  readonly selected: readonly Distribution[];
  readonly graph: Graph;
}

/** What became of choices, where that is not plain from the words alone. */
export function choiceNotices({ ignored, only }: Chosen, { installed, selected, graph }: Selected): Notice[] {
  const missed = [...ignored].flatMap((name) => {
    const needing = selected.map((one) => canonicalName(one.name)).filter((other) => graph.needs(other).some((need) => need.name === name));
    return needing.length > 0 ? [`${name}, which ${needing.slice(0, SHOWN).join(', ')}${needing.length > SHOWN ? ' …' : ''} needs`] : [];
  });
  return [
    ...(only.length > 0
      ? [
          {
            level: 'info' as const,
            text: `only ${only.join(', ')} and what they need: ${selected.length} of ${installed.length} Python packages`,
          },
        ]
      : []),
    ...(missed.length > 0 ? [{ level: 'warning' as const, text: `left out as asked: ${missed.join('; ')}` }] : []),
  ];
}

const SHOWN = 3;
