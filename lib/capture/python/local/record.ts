import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../../executables';

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
  const files = parseCsv(record).filter((file) => file !== '' && !/\.pyc$|(^|\/)__pycache__\//.test(file));
  const tags = [...wheel.matchAll(/^Tag:\s*(\S+)/gm)].map(([, tag]) => tag!);
  const entryPoints = (await readText(path.join(distInfo, 'entry_points.txt'))) ?? '';
  return {
    files,
    pure: files.length > 0 && tags.length > 0 && tags.every((tag) => tag.endsWith('-none-any')),
    entryPoints: new Set(programNames(entryPoints)),
  };
}

/** First column of RECORD. Source: PyPA specification "Recording installed projects": CSV as Python's csv module writes it. */
function parseCsv(text: string): string[] {
  return text.split(/\r?\n/).map((line) => {
    const quoted = /^"((?:[^"]|"")*)"/.exec(line)?.[1];
    return quoted === undefined ? line.replace(/,[^,]*,[^,]*$/, '') : quoted.replaceAll('""', '"');
  });
}

function programNames(entryPoints: string): string[] {
  let wanted = false;
  return entryPoints.split(/\r?\n/).flatMap((line) => {
    const section = /^\s*\[(.*)\]/.exec(line)?.[1];
    if (section !== undefined) wanted = ['console_scripts', 'gui_scripts'].includes(section.trim());
    const name = /^\s*([^#;=\s][^=]*?)\s*=/.exec(line)?.[1];
    return wanted && section === undefined && name !== undefined ? [name] : [];
  });
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
