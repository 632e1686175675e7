/* The Node that VMs of this machine's kind run, unpacked: `vm-node.js <file>`. */
import { createWriteStream } from 'node:fs';
import { chmod } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { nodeArtifact } from '../lib/runtime/launch/artifacts';

async function main(file: string): Promise<void> {
  const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x86_64';
  const cacheDir = path.join(os.homedir(), '.cache', 'rawcloud');
  const artifact = await nodeArtifact({ platform, local: false, cacheDir, env: process.env });
  await pipeline(artifact.open(), createGunzip(), createWriteStream(file));
  await chmod(file, 0o755);
}

void main(process.argv[2]!);
