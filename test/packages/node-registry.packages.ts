import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tar } from '../../lib/capture/tar';
import { openWorkshop } from './workshop';
import type { Workshop } from './workshop';

const TOKEN = 'npm_t0ken-that-nobody-sees';

let shop: Workshop;
let server: Server;
let host: string;
beforeAll(async () => {
  server = privateRegistry();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  shop = await openWorkshop({ tools: path.dirname(process.execPath), vm: {} });
});
afterAll(async () => {
  await shop.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** A registry with one package, `@me/secret`, for who has the token. */
function privateRegistry(): Server {
  const manifest = { name: '@me/secret', version: '1.0.0', main: 'index.js' };
  const file = (name: string, text: string) => ({ path: `package/${name}`, bytes: Buffer.from(text), executable: false });
  const tarball = gzipSync(
    tar([file('package.json', JSON.stringify(manifest)), file('index.js', "module.exports = 'from the private registry';\n")]),
  );
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  return createServer(({ headers, url = '' }, response) => {
    if (headers.authorization !== `Bearer ${TOKEN}`) return void response.writeHead(401).end('{}');
    if (url.endsWith('.tgz')) return void response.end(tarball);
    const dist = { tarball: `http://${headers.host}/secret-1.0.0.tgz`, integrity };
    response.end(JSON.stringify({ name: manifest.name, 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': { ...manifest, dist } } }));
  });
}

test('a package of a private registry travels, and the token is in nothing that is kept, said or shown; without it the remedy is named', async () => {
  const { house, tool, run, tryRun } = shop;
  await house.write({
    'package.json': JSON.stringify({ name: 'app', version: '1.0.0', dependencies: { '@me/secret': '1.0.0' } }),
    '.npmrc': `@me:registry=http://${host}/\n`,
    'main.js': "console.log(require('@me/secret'));\n",
    '../home/.npmrc': `//${host}/:_authToken=\${MY_TOKEN}\n`,
  });
  const env = { MY_TOKEN: TOKEN };
  await tool('npm', ['install', '--no-audit', '--no-fund'], { env });
  expect(await run(['--', 'node', 'main.js'], { env })).toBe('from the private registry\n');
  const logs = await house.rawcloud(['logs', '--environment']);
  expect(logs.stdout.toString() + logs.stderr).not.toContain(TOKEN);
  await shop.house.allGone();
  const holding = (await house.everything()).filter(({ content }) => content.includes(TOKEN)).map(({ name }) => name);
  expect(holding.filter((name) => !name.includes('v1/sealed/'))).toEqual([]);

  await house.write({ '../home/.npmrc': '' });
  const refused = await tryRun(['--no-cache', '--', 'node', 'main.js']);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/a registry wants credentials that the VM does not have: .*401/);
  expect(refused.stderr).toContain("Log in here ('npm login', or a token in ~/.npmrc or ~/.yarnrc.yml): they travel sealed.");
});
