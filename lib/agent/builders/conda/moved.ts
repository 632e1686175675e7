import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { unlessMissing } from '../../../contract';
import type { PackagePath } from './info';
import { moveBinary } from './prefix';
import { PREFIX_MARK } from './parts';

/** Says where the environment lies, in hex: whatever moves texts that name a place lets it be. */
export async function markPrefix(prefix: string): Promise<void> {
  await writeFile(path.join(prefix, PREFIX_MARK), Buffer.from(prefix).toString('hex'));
}

/**
 * The cache moves texts from the place where an environment was built to where it lies now, and leaves machine code as it is; here
 * that follows. On VMs in AWS the place is always the same.
 */
export async function movePrefix(prefix: string): Promise<void> {
  const mark = await unlessMissing(readFile(path.join(prefix, PREFIX_MARK), 'utf8'), undefined);
  const before = mark === undefined ? prefix : Buffer.from(mark, 'hex').toString();
  if (before === prefix) return;
  const directory = path.join(prefix, 'conda-meta');
  for (const name of (await readdir(directory)).filter((found) => found.endsWith('.json'))) {
    const record = JSON.parse(await readFile(path.join(directory, name), 'utf8')) as { paths_data: { paths: PackagePath[] } };
    for (const { _path: at, file_mode: mode } of record.paths_data.paths) {
      if (mode !== 'binary') continue;
      const file = path.join(prefix, at);
      const bytes = await readFile(file);
      if (!bytes.includes(before)) continue;
      await writeFile(file, moveBinary(bytes, before, prefix), { mode: (await stat(file)).mode });
    }
  }
  await markPrefix(prefix);
}
