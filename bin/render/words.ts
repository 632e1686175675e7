import { formatDuration } from '../../lib/contract';
import type { Offer } from '../../lib/contract';

/** `1 file`, `3 files`, `1,204 files`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
}

/** `m7i.large (2 vCPU, 8 GiB) in us-east-1a` */
export function offerText({ vmType, vcpu, memoryGiB, zone, purchase }: Offer): string {
  return `${purchase === 'spot' ? 'spot ' : ''}${vmType} (${vcpu} vCPU, ${memoryGiB} GiB)${zone ? ` in ${zone}` : ''}`;
}

/** Dollars an hour, to the hundredth of a cent: `$0.1091/h`. */
export function perHour(usd: number): string {
  return `$${usd.toFixed(usd < 10 ? 4 : 2)}/h`;
}

/** ` and address`, where the VM has a public one. */
export function addressText(offer: Offer | undefined): string {
  return offer?.publicIpv4 === false ? ', no public address' : ' and address';
}

/** Local time: `14:03:05` today, `2026-11-23 14:03` on other days. */
export function localTime(ms: number, now: number): string {
  const at = new Date(ms);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return at.toDateString() === new Date(now).toDateString() ? `${time}:${two(at.getSeconds())}` : `${day} ${time}`;
}

/** `3 min 20 s ago`, or `in 23 h 59 min`. */
export function relativeTime(ms: number, now: number): string {
  const text = formatDuration(Math.abs(now - ms) / 1000);
  return ms <= now ? `${text} ago` : `in ${text}`;
}
