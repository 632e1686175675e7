import { canonicalName } from './python-metadata';
import type { Notice } from './spec';

/** What is not on the VM as it is here. */
export type PackageChange =
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
export function changeNotice(changes: readonly PackageChange[], platform: string, spelled = canonicalName): Notice[] {
  if (changes.length === 0) return [];
  const replaced = changes.flatMap((change) => (change.kind === 'replaced' ? [textOf(change, spelled)] : []));
  const dropped = changes.filter(({ kind }) => kind === 'dropped') as Extract<PackageChange, { kind: 'dropped' }>[];
  const added = changes.filter(({ kind }) => kind === 'added') as Extract<PackageChange, { kind: 'added' }>[];
  const parts = [...groups(dropped, ({ name }) => spelled(name), 'left out'), ...replaced, ...groups(added, ({ line }) => line, 'added')];
  return [{ level: 'info', text: `changed for ${platform}: ${parts.join('; ')}` }];
}

/** Names with the same reason stand together: there may be a dozen of them. */
function groups<C extends { readonly reason: string }>(changes: readonly C[], name: (change: C) => string, verb: string): string[] {
  const byReason = new Map<string, string[]>();
  for (const change of changes) byReason.set(change.reason, [...(byReason.get(change.reason) ?? []), name(change)]);
  return [...byReason].map(([reason, names]) => `${verb} ${names.sort().join(', ')} (${reason})`);
}

function textOf({ name, version, to, reason }: Extract<PackageChange, { kind: 'replaced' }>, spelled: typeof canonicalName): string {
  const other = spelled(name) === spelled(to.name) ? '' : `${spelled(to.name)} `;
  return `${spelled(name)} ${version} → ${`${other}${to.version ?? ''}`.trim()} (${reason})`;
}
