import { destinationOf, listenersOf } from '../../lib/local/drivers/namespace-addresses';
import type { NetworkMap } from '../../lib/local/drivers/namespace-addresses';
import { namespaceEnvironment } from '../../lib/local/drivers/namespace-environment';
import { mountTable } from '../../lib/local/drivers/namespace-mounts';
import { ownerOf } from '../../lib/local/drivers/namespace-peer';

const HOST = '127.0.0.1';
const MAP: NetworkMap = {
  imds: { host: HOST, port: 4001 },
  loopback: { 4000: { host: HOST, port: 4100 } },
  ports: [22, 80, 443],
  nameServer: { host: '10.0.0.2', port: 53 },
};

test.each([
  ['169.254.169.254', 80, { host: HOST, port: 4001 }],
  ['169.254.169.254', 443, undefined],
  ['169.254.169.253', 53, { host: '10.0.0.2', port: 53 }],
  ['169.254.170.2', 80, undefined],
  ['127.0.0.1', 4000, { host: HOST, port: 4100 }],
  ['127.0.0.1', 443, undefined],
  ['127.9.9.9', 22, undefined],
  ['0.0.0.0', 80, undefined],
  ['192.0.2.1', 443, { host: '192.0.2.1', port: 443 }],
  ['192.0.2.1', 5432, undefined],
])('a connection to %s:%i goes to %j', (host, port, expected) => {
  expect(destinationOf({ host, port }, MAP)).toEqual(expected);
});

test('no port has two listeners: the second would be refused', () => {
  const ports = listenersOf({ ...MAP, loopback: { 80: MAP.imds, 4000: MAP.imds } }).map(({ port }) => port);
  expect(ports.toSorted((a, b) => a - b)).toEqual([22, 53, 80, 443, 4000]);
});

test('certificates come along, proxies are told apart, and nothing else of the developer gets in', () => {
  const machine = { id: 'i-1', root: '/x', userData: Buffer.of(), imdsUrl: 'http://127.0.0.1:1', endpointUrl: 'http://127.0.0.1:2' };
  const host = {
    PATH: '/home/me/bin',
    AWS_SECRET_ACCESS_KEY: 'x',
    SSL_CERT_FILE: '/etc/ssl/ca.pem',
    NODE_EXTRA_CA_CERTS: __filename,
    CURL_CA_BUNDLE: '/nowhere/at-all.pem',
    HTTPS_PROXY: 'http://proxy.test:3128',
    http_proxy: 'localhost:8080',
  };
  const { env, files, proxies } = namespaceEnvironment(machine, host);
  expect(env).toEqual({
    PATH: '/opt/rawcloud/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:2',
    SSL_CERT_FILE: '/etc/ssl/ca.pem',
    NODE_EXTRA_CA_CERTS: '/opt/rawcloud/certificates/NODE_EXTRA_CA_CERTS',
    HTTPS_PROXY: 'http://proxy.test:3128',
    http_proxy: 'localhost:8080',
    NO_PROXY: '127.0.0.1,localhost,::1,169.254.169.254',
    no_proxy: '127.0.0.1,localhost,::1,169.254.169.254',
  });
  expect(files).toEqual({ '/opt/rawcloud/certificates/NODE_EXTRA_CA_CERTS': __filename });
  expect(proxies).toEqual([
    { host: 'proxy.test', port: 3128 },
    { host: 'localhost', port: 8080 },
  ]);
});

test('whatever a directory is called, each mount is one line of six words', () => {
  const table = mountTable({ root: "/it's\ta root\n#1\\", files: { '/opt/a b': '/srv/c d' }, shared: ['usr'] });
  const lines = table.trimEnd().split('\n');
  for (const line of lines) expect(line.split(' ')).toHaveLength(6);
  expect(lines[0]).toBe(String.raw`/srv/c\040d /it's\011a\040root\012\0431\134/opt/a\040b none bind 0 0`);
});

test('the user of a connection is the one at its own end', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: FEA9FEA9:0050 04051FAC:8C2E 01 00000000:00000000 00:00000000 00000000     0        0 7 1
   1: 04051FAC:8C2E FEA9FEA9:0050 06 00000000:00000000 00:00000000 00000000     0        0 8 1
   2: 04051FAC:8C2E FEA9FEA9:0050 01 00000000:00000000 00:00000000 00000000   999        0 9 1
`;
  expect(ownerOf(table, 0x8c2e, 80)).toBe(999);
  expect(ownerOf(table, 0x8c2f, 80)).toBeUndefined();
});
