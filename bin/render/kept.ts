import { formatSize } from '../../lib/contract';
import type { KeptEnvironment } from '../../lib/runtime/api';
import type { Style } from './style';
import { clean, columnsOf, padTo } from './text';
import { relativeTime } from './words';

const GAP = '  ';

export interface KeptTable {
  readonly now: number;
  readonly style: Style;
  /** Whose they are is a column. */
  readonly withOwner: boolean;
}

/** One line an environment, in columns. */
export function keptTable(kept: readonly KeptEnvironment[], { now, style, withOwner }: KeptTable): string[] {
  const header = ['ID', 'KIND', 'PLATFORM', 'PACKAGES', 'SIZE', 'STORED', 'BUILT', 'USED', 'HERE', ...(withOwner ? ['OWNER'] : [])];
  const rows = kept.map((one) => [...cells(one, now), ...(withOwner ? [ownerText(one)] : [])]);
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => columnsOf(row[i]!))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => padTo(cell, widths[i]!))
      .join(GAP)
      .trimEnd();
  return [style.dim(line(header)), ...rows.map(line)];
}

function cells(one: KeptEnvironment, now: number): string[] {
  return [
    one.id,
    clean(one.kind ?? 'unknown'),
    clean(one.platform ?? ''),
    one.packages === undefined ? '' : String(one.packages),
    one.bytes === undefined ? '' : formatSize(one.bytes),
    formatSize(one.storedBytes),
    relativeTime(one.builtAt, now),
    relativeTime(Math.min(one.usedAt, now), now),
    one.isHere ? 'yes' : '',
  ];
}

function ownerText({ isYours, kind }: KeptEnvironment): string {
  return isYours ? 'you' : kind === undefined ? 'unknown' : 'another';
}
