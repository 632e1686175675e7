import { formatDuration, formatUsd } from '../../lib/contract';
import type { Bill } from '../../lib/contract';

const ADDRESS = 'public IPv4 address';

/**
 * The bill in one line: `$0.0012 · m7i.large 38 s + 30 GiB disk + address · price table of …; traffic and storage not included`.
 * In the local cloud the same figures are what AWS would have charged.
 */
export function billText(bill: Bill, local: boolean): string {
  const about = bill.estimated ? 'about ' : '';
  const price = local ? `nothing was charged; on AWS ${about}${formatUsd(bill.usd)}` : `${about}${formatUsd(bill.usd)}`;
  if (bill.lines.length === 0) return `${price} · no VM was on`;
  return `${price} · ${itemsText(bill.lines)} · ${bill.priceSource}; traffic and storage not included`;
}

/** VMs with their seconds; what goes along with them by name only. */
function itemsText(lines: Bill['lines']): string {
  const items = lines.map((line) => {
    if (line.what === ADDRESS) return 'address';
    const alongside = line.what.endsWith(' disk') || line.unit !== 's';
    return alongside ? line.what : `${line.what} ${formatDuration(line.quantity)}`;
  });
  return [...new Set(items)].join(' + ');
}
