/** Of the metadata service. Source: EC2 user guide, "Access instance metadata". */
export const METADATA_ADDRESS = '169.254.169.254';

/** Of the name server that every VPC has. Source: VPC user guide, "Amazon DNS server". */
export const NAME_SERVER = '169.254.169.253';

/** Where programs connect to that need nothing said: ssh, the web, mail. Below 1024, where no job's user listens. */
export const WELL_KNOWN_PORTS = [22, 80, 443, 465, 587, 993] as const;

/**
 * Commands for `ip -batch`: every address there is belongs to the machine itself, so that a connection to anywhere
 * comes out at the listener of that port, which can tell where it was to go.
 */
export function networkTable(privateIp: string | undefined): string {
  const source = privateIp === undefined ? '' : ` src ${privateIp}`;
  const own = [METADATA_ADDRESS, NAME_SERVER, ...(privateIp === undefined ? [] : [privateIp])];
  return [
    'link set lo up',
    ...own.map((address) => `address add ${address}/32 dev lo`),
    `route add local default dev lo${source}`,
    '',
  ].join('\n');
}

/** A place to connect to. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** What the local cloud serves in a machine's network. */
export interface NetworkMap {
  /** Of the instance's metadata service, on the host's loopback. */
  readonly imds: Destination;
  /** From ports of the machine's loopback to the host's: the endpoint, and a proxy that listens there. */
  readonly loopback: Readonly<Record<number, Destination>>;
  /** Ports of everywhere else that are carried. */
  readonly ports: readonly number[];
  /** The host's own name server. */
  readonly nameServer: Destination;
}

/** Where a connection of the machine goes; undefined when it goes nowhere. */
export function destinationOf(to: Destination, map: NetworkMap): Destination | undefined {
  const { host, port } = to;
  if (host === METADATA_ADDRESS) return port === 80 ? map.imds : undefined;
  if (host === NAME_SERVER) return port === 53 ? map.nameServer : undefined;
  if (host.startsWith('127.')) return map.loopback[port];
  // Neither the host's loopback by another name nor its own link.
  if (/^(0\.|169\.254\.)/.test(host)) return undefined;
  return map.ports.includes(port) ? to : undefined;
}

/** Where something listens in the machine. All of one port is one listener: a second would be refused. */
export function listenersOf({ loopback, ports }: Pick<NetworkMap, 'loopback' | 'ports'>): Destination[] {
  const everywhere = new Set([80, ...ports]);
  return [
    ...[...everywhere].map((port) => ({ host: '0.0.0.0', port })),
    ...Object.keys(loopback).flatMap((port) => (everywhere.has(Number(port)) ? [] : [{ host: '127.0.0.1', port: Number(port) }])),
    { host: NAME_SERVER, port: 53 },
  ];
}
