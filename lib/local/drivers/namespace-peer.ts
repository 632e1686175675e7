import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { canMapUsers } from './namespace-users';

/**
 * Whether who connected may ask for metadata: root alone, as on a VM the job's unit has no way there. Where a machine
 * has but one user there is nobody to tell apart.
 * @param pid a process of the network that the connection comes from
 */
export function mayAskMetadata(pid: number, { remotePort = 0, localPort = 0 }: Socket): boolean {
  if (!canMapUsers()) return true;
  return ownerOf(readFileSync(`/proc/${pid}/net/tcp`, 'utf8'), remotePort, localPort) === 0;
}

/** User at the `from` end of a connection, by a table as in proc(5), `/proc/net/tcp`; undefined when it is gone, as one in TIME_WAIT (06) is. */
export function ownerOf(table: string, from: number, to: number): number | undefined {
  const port = (n: number): string => n.toString(16).toUpperCase().padStart(4, '0');
  const line = new RegExp(`^ *\\d+: [0-9A-F]{8}:${port(from)} [0-9A-F]{8}:${port(to)} (?!06)[0-9A-F]{2} .*`, 'm').exec(table)?.[0];
  return line === undefined ? undefined : Number(line.trim().split(/ +/)[7]);
}
