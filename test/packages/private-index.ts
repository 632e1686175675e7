import { createServer } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const USER = 'somebody';
export const PASSWORD = 'pa55-word-of-the-index';

/** A package index with a password, of the wheels in a directory. */
export interface PrivateIndex {
  /** Without credentials. */
  readonly url: string;
  /** With them. */
  readonly opened: string;
  readonly close: () => Promise<void>;
}

/** Source: PyPA specification "Simple repository API". */
export async function servePrivateIndex(directory: string): Promise<PrivateIndex> {
  const expected = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
  const server = createServer((request, response) => {
    const parts = (request.url ?? '').split('?')[0]!.split('/').filter(Boolean);
    const names = readdirSync(directory);
    if (request.headers.authorization !== expected) response.writeHead(401, { 'www-authenticate': 'Basic realm="index"' }).end();
    else if (parts[0] === 'files' && names.includes(parts[1] ?? '')) response.end(readFileSync(path.join(directory, parts[1]!)));
    else if (parts[0] === 'simple' && parts.length === 2) {
      const own = names.filter((name) => name.split('-')[0]!.replaceAll('_', '-').toLowerCase() === parts[1]);
      const links = own.map((name) => `<a href="/files/${name}">${name}</a>`).join('\n');
      response
        .writeHead(own.length > 0 ? 200 : 404, { 'content-type': 'text/html' })
        .end(`<!DOCTYPE html><html><body>${links}</body></html>`);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/simple`,
    opened: `http://${USER}:${PASSWORD}@127.0.0.1:${port}/simple`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
