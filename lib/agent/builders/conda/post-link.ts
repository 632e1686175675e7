import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError, unlessMissing } from '../../../contract';
import type { BuildIo, CondaPackage } from '../../../contract';
import { recordName } from './parts';

/** Runs what packages do after they were linked; what they write belongs to no package. Source: conda's documentation "Link scripts". */
export async function runPostLink(packages: readonly CondaPackage[], prefix: string, io: BuildIo): Promise<void> {
  for (const wanted of packages) {
    const script = path.join(prefix, 'bin', `.${wanted.name}-post-link.sh`);
    if (!existsSync(script)) continue;
    io.log(`conda: ${path.basename(script)}`);
    const { build_number: number = 0 } = JSON.parse(await readFile(path.join(prefix, 'conda-meta', recordName(wanted)), 'utf8')) as {
      build_number?: number;
    };
    const env = {
      PREFIX: prefix,
      PKG_NAME: wanted.name,
      PKG_VERSION: wanted.version,
      PKG_BUILDNUM: String(number),
      PATH: [path.join(prefix, 'bin'), io.env['PATH'] ?? ''].join(path.delimiter),
    };
    await io.run('bash', [script], { cwd: prefix, env }).catch((cause: unknown) => {
      io.signal.throwIfAborted();
      throw new RawcloudError('E_ENVIRONMENT', `the conda package ${wanted.name} cannot be installed: its post-link script failed`, {
        remedy: 'The environment log has what it said (rawcloud logs --environment).',
        data: { package: wanted.name },
        cause,
      });
    });
    await saySo(prefix, io);
  }
}

/** What scripts have to say to people. */
async function saySo(prefix: string, io: BuildIo): Promise<void> {
  const file = path.join(prefix, '.messages.txt');
  const text = await unlessMissing(readFile(file, 'utf8'), '');
  for (const line of text.split('\n').filter((said) => said.trim() !== '')) io.log(line);
  await rm(file, { force: true });
}
