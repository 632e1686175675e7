import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { MachineSpec } from '../../contract';
import { CERTIFICATES, pick, proxies } from './guest-environment';
import type { Env } from './guest-environment';
import type { Destination } from './namespace-addresses';
import { SHARED } from './namespace-mounts';

/** Before every machine's PATH: its own poweroff. */
const PATHS = ['/opt/rawcloud/sbin', '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export interface NamespaceEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** Certificates that lie where the machine does not see them: from its path to the host's. */
  readonly files: Readonly<Record<string, string>>;
  /** Proxies that the environment names. */
  readonly proxies: readonly Destination[];
}

/** The environment that a machine's init starts with, made from the local cloud's own, and what it refers to. */
export function namespaceEnvironment(machine: MachineSpec, host: Env): NamespaceEnvironment {
  const certificates = pick(host, CERTIFICATES);
  const seen = Object.entries(certificates).filter(([, file]) => isShared(file));
  const carried = Object.entries(certificates).filter(([, file]) => !isShared(file) && existsSync(file) && statSync(file).isFile());
  const place = (name: string): string => `/opt/rawcloud/certificates/${name}`;
  const asked = proxies(host);
  return {
    env: {
      PATH: PATHS.join(path.delimiter),
      HOME: '/root',
      LANG: 'C.UTF-8',
      AWS_ENDPOINT_URL: machine.endpointUrl,
      ...Object.fromEntries(seen),
      ...Object.fromEntries(carried.map(([name]) => [name, place(name)])),
      ...asked,
      ...(Object.keys(asked).length > 0 ? direct(asked) : {}),
    },
    files: Object.fromEntries(carried.map(([name, file]) => [place(name), file])),
    proxies: Object.entries(asked).flatMap(([name, url]) => (/no_proxy/i.test(name) ? [] : destination(url))),
  };
}

function isShared(file: string): boolean {
  return SHARED.some((name) => file.startsWith(`/${name}/`));
}

/** The metadata service is no business of a proxy. */
function direct({ NO_PROXY = '' }: Readonly<Record<string, string>>): Record<string, string> {
  const list = `${NO_PROXY},169.254.169.254`;
  return { NO_PROXY: list, no_proxy: list };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'socks5:': 1080, 'socks5h:': 1080, 'socks4:': 1080 };

function destination(url: string): Destination[] {
  const parsed = URL.parse(url.includes('://') ? url : `http://${url}`);
  if (!parsed) return [];
  const port = Number(parsed.port) || DEFAULT_PORTS[parsed.protocol];
  return port === undefined ? [] : [{ host: parsed.hostname, port }];
}
