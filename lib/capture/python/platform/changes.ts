import { canonicalName } from '../../../contract';
import type { Notice } from '../../../contract';
import type { Distribution } from '../distributions';
import type { Chosen } from './choose';
import type { Graph } from './graph';

/** What is not on the VM as it is here. */
export type Change =
  | { readonly kind: 'dropped'; readonly name: string; readonly reason: string }
  | {
      readonly kind: 'replaced';
      readonly name: string;
      readonly version: string;
      readonly to: { readonly name: string; readonly version?: string };
      readonly reason: string;
    }
  | { readonly kind: 'added'; readonly line: string; readonly reason: string };

/** All changes in one notice; none when there are none. @param spelled - a name as people know it. @default - as on PyPI */
export function changeNotice(changes: readonly Change[], platform: string, spelled = canonicalName): Notice[] {
  if (changes.length === 0) return [];
  const replaced = changes.flatMap((change) => (change.kind === 'replaced' ? [textOf(change, spelled)] : []));
  const dropped = changes.filter(({ kind }) => kind === 'dropped') as Extract<Change, { kind: 'dropped' }>[];
  const added = changes.filter(({ kind }) => kind === 'added') as Extract<Change, { kind: 'added' }>[];
  const parts = [...groups(dropped, ({ name }) => spelled(name), 'left out'), ...replaced, ...groups(added, ({ line }) => line, 'added')];
  return [{ level: 'info', text: `changed for ${platform}: ${parts.join('; ')}` }];
}

/** Names with the same reason stand together: there may be a dozen of them. */
function groups<C extends { readonly reason: string }>(changes: readonly C[], name: (change: C) => string, verb: string): string[] {
  const byReason = new Map<string, string[]>();
  for (const change of changes) byReason.set(change.reason, [...(byReason.get(change.reason) ?? []), name(change)]);
  return [...byReason].map(([reason, names]) => `${verb} ${names.sort().join(', ')} (${reason})`);
}

function textOf({ name, version, to, reason }: Extract<Change, { kind: 'replaced' }>, spelled: typeof canonicalName): string {
  const other = spelled(name) === spelled(to.name) ? '' : `${spelled(to.name)} `;
  return `${spelled(name)} ${version} → ${`${other}${to.version ?? ''}`.trim()} (${reason})`;
}

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
