import path from 'node:path';
import type { MachineSpec } from '../../contract';

export type Env = Readonly<Record<string, string | undefined>>;

/** What the way to the internet needs: a company's certificates and proxies. Nothing else of the developer's environment gets in. */
export const CERTIFICATES = ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'PIP_CERT', 'CURL_CA_BUNDLE'];
export const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy', 'ALL_PROXY', 'all_proxy'];

/** The machine's own services are on loopback: never through a proxy. */
const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

/** The environment that a machine's init starts with, made from the local cloud's own. */
export function guestEnvironment(machine: MachineSpec, host: Env): Record<string, string> {
  return {
    PATH: [path.join(machine.root, 'sbin'), ...hostPath(host)].join(path.delimiter),
    HOME: path.join(machine.root, 'root'),
    LANG: 'C.UTF-8',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.imdsUrl,
    AWS_ENDPOINT_URL: machine.endpointUrl,
    ...pick(host, CERTIFICATES),
    ...proxies(host),
  };
}

/** The host's PATH without what an active virtual environment or an npm script put on it: a fresh VM has neither. */
function hostPath(host: Env): string[] {
  const prefixes = [host['VIRTUAL_ENV'], host['CONDA_PREFIX']].filter((p) => p !== undefined && p !== '') as string[];
  const belongs = (entry: string) => prefixes.some((prefix) => entry === prefix || entry.startsWith(prefix + path.sep));
  const isNpm = (entry: string) => entry.includes(path.join('node_modules', '.bin')) || entry.includes('node-gyp-bin');
  return (host['PATH'] ?? '/usr/local/bin:/usr/bin:/bin')
    .split(path.delimiter)
    .filter((entry) => path.isAbsolute(entry) && !belongs(entry) && !isNpm(entry));
}

export function proxies(host: Env): Record<string, string> {
  const used = pick(host, PROXIES);
  if (Object.keys(used).length === 0) return {};
  const direct = [...new Set([...(host['NO_PROXY'] ?? host['no_proxy'] ?? '').split(',').map((h) => h.trim()), ...LOOPBACK])]
    .filter(Boolean)
    .join(',');
  return { ...used, NO_PROXY: direct, no_proxy: direct };
}

export function pick(host: Env, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (host[name] ? [[name, host[name]]] : [])));
}
