import { formatDuration, formatSize, formatUsd, SETUP_KIND } from '../../lib/contract';
import type { Offer } from '../../lib/contract';
import type { PlanAlternative, RunPlan } from '../../lib/runtime/api';
import { labelled } from './label';
import type { Style } from './style';
import { addressText, count, localTime, offerText, perHour, relativeTime } from './words';

/** What `--dry-run` prints. */
export function planLines(plan: RunPlan, how: { local: boolean; style: Style; now: number }): string[] {
  const { style } = how;
  const column = (label: string, lines: readonly string[]) => lines.map((line, i) => labelled(i === 0 ? label : '', line, style));
  return [
    ...column('offers', plan.offers.map(offerLine)),
    ...column('or', plan.alternatives.map(alternativeLine)),
    ...column('image', [plan.image]),
    ...column('disk', [`${plan.diskGiB} GiB`]),
    ...column('lifetime', [`${formatDuration(plan.lifetimeS)}: then the VM ends itself, whatever happens`]),
    ...column('retries', [retriesText(plan.retries)]),
    ...column('identity', [identityText(plan.identity, how.now)]),
    ...column('logins', plan.logins.length > 0 ? [plan.logins.join(', ')] : []),
    ...column('tree', treeTexts(plan.tree)),
    ...column(
      'setup',
      plan.packages.filter(isSetup).map(({ title }) => title),
    ),
    ...column('packages', packageTexts(plan.packages)),
    ...column(
      'notices',
      plan.notices.map((notice) => `${notice.level === 'warning' ? 'warning: ' : ''}${notice.text}`),
    ),
    ...column('price', [priceText(plan, how.local)]),
    style.dim('Nothing was uploaded or launched.'),
  ];
}

function isSetup({ kind }: RunPlan['packages'][number]): boolean {
  return kind === SETUP_KIND;
}

function packageTexts(packages: RunPlan['packages']): string[] {
  const titles = packages.filter((one) => !isSetup(one)).map(({ title }) => title);
  return titles.length === 0 ? ['none needed'] : titles;
}

function offerLine(offer: Offer, index: number): string {
  const price = `${offer.priceEstimated ? 'about ' : ''}${perHour(offer.usdPerHour)}`;
  return `${index + 1}. ${offerText(offer)}${offer.purchase === 'spot' ? '' : ' · on-demand'} · ${price} · ${offer.priceSource}${offer.reason ? ` · ${offer.reason}` : ''}`;
}

function alternativeLine({ kind, offer, usdPerHour, text, options }: PlanAlternative): string {
  const price = `${offer.priceEstimated ? 'about ' : ''}${perHour(usdPerHour)} with disk${addressText(offer)}`;
  return `${kind}: ${offerText(offer)} · ${price} · ${text} · ${options}`;
}

function retriesText(retries: number): string {
  if (retries === 0) return 'none: a VM that is lost or taken back ends the job (--retries N)';
  return `up to ${count(retries, 'new VM')}, each at its own price, when one is lost or taken back; a command that fails is not run again`;
}

function identityText({ kind, arn, expiresAt }: RunPlan['identity'], now: number): string {
  if (kind === 'none') return 'none: the job has no AWS credentials';
  const until =
    expiresAt === undefined ? '' : ` until ${localTime(Date.parse(expiresAt), now)} (${relativeTime(Date.parse(expiresAt), now)})`;
  return `${arn ?? 'yours'}${kind === 'role' ? ' for as long as it runs' : until}`;
}

function treeTexts({ root, files, bytes, largest }: RunPlan['tree']): string[] {
  const rows = largest.map((entry) => `${formatSize(entry.bytes).padStart(9)}  ${entry.path}`);
  return [`${root}: ${count(files, 'file')}, ${formatSize(bytes)}${rows.length > 0 ? '; the largest:' : ''}`, ...rows];
}

function priceText({ usdPerHour, parts, minimumUsd, offers }: RunPlan, local: boolean): string {
  const address = parts.address > 0 ? `, address ${perHour(parts.address)}` : '';
  const made = `VM ${perHour(parts.vm)}, disk ${perHour(parts.disk)}${address}`;
  const price = `${perHour(usdPerHour)} with disk${addressText(offers[0])} (${made}), ${formatUsd(minimumUsd)} at least (60 s); traffic and storage not included`;
  return local ? `nothing is charged in the local cloud; on AWS ${price}` : price;
}
