import path from 'node:path';
import { entryPointsIn, recordedPaths } from '../../../contract';
import { readText } from '../read-text';

/** What a dist-info directory says of an installed package. */
export interface InstallRecord {
  /** Relative to site-packages, as RECORD has them; compiled bytecode left out. */
  readonly files: readonly string[];
  /** It runs on every platform: all tags of its wheel say so. */
  readonly pure: boolean;
  /** Names of the programs that installers write by themselves. */
  readonly entryPoints: ReadonlySet<string>;
}

/** @returns undefined for what has no list of its files, as eggs and what `setup.py` installed */
export async function readInstallRecord(distInfo: string): Promise<InstallRecord | undefined> {
  const record = await readText(path.join(distInfo, 'RECORD'));
  const wheel = await readText(path.join(distInfo, 'WHEEL'));
  if (record === undefined || wheel === undefined) return undefined;
  const files = recordedPaths(record).filter((file) => !/\.pyc$|(^|\/)__pycache__\//.test(file));
  const tags = [...wheel.matchAll(/^Tag:\s*(\S+)/gm)].map(([, tag]) => tag!);
  const entryPoints = (await readText(path.join(distInfo, 'entry_points.txt'))) ?? '';
  return {
    files,
    pure: files.length > 0 && tags.length > 0 && tags.every((tag) => tag.endsWith('-none-any')),
    entryPoints: new Set(entryPointsIn(entryPoints).map(({ name }) => name)),
  };
}
