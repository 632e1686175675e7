import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { mapBounded } from '../../contract';
import { textReader } from './read-text';
import type { ReadText } from './read-text';

/** A package as an environment records it. Nothing of it was imported or run. */
export interface Distribution {
  /** As the package spells it. */
  readonly name: string;
  /** Absent when the record is damaged, or names none. */
  readonly version?: string;
  /** Who installed it: `pip`, `uv`, `rpm`; absent when nobody says so. */
  readonly installer?: string;
  /** What it needs: each Requires-Dist as it stands. Absent when its record does not say. */
  readonly requires?: readonly string[];
  /** Content of direct_url.json: installed from a URL, a repository or a directory. */
  readonly directUrl?: unknown;
  /** Directory that an .egg-link or a .pth file points at. */
  readonly linkedTo?: string;
  /** Whether somebody asked for it by name. @default - its record tells */
  readonly requested?: boolean;
  /** Where it is recorded; empty for what a lockfile has. */
  readonly record: string;
}

/** Records read at the same time; each is two or three small files. */
const CONCURRENCY = 16;

/** All packages recorded in one directory of Python's path, in order of their records' names. */
export async function readDistributions(site: string): Promise<Distribution[]> {
  const names = (await readdir(site)).sort();
  const read = textReader();
  const found = await mapBounded(names, CONCURRENCY, (name) => readRecord(site, name, read));
  const known = found.flatMap((distributions) => distributions);
  // `setup.py develop` leaves both a link with the name and a line in easy-install.pth.
  const linked = new Set(known.filter(({ record }) => record.endsWith('.egg-link')).map(({ linkedTo }) => linkedTo));
  return known.filter(({ record, linkedTo }) => !record.endsWith('.pth') || !linked.has(linkedTo));
}

function readRecord(site: string, name: string, read: ReadText): Promise<Distribution[]> {
  const record = `${site}/${name}`;
  // pip renames what it is about to remove, and leaves it so when it is interrupted.
  if (name.startsWith('~')) return Promise.resolve([]);
  if (name.endsWith('.dist-info')) return readDistInfo(record, read);
  if (name.endsWith('.egg-info')) return readEggInfo(record, read);
  if (name.endsWith('.egg-link')) return readEggLink(record, read);
  if (name.endsWith('.pth')) return readPth(record, read);
  return Promise.resolve([]);
}

async function readDistInfo(record: string, read: ReadText): Promise<Distribution[]> {
  const [metadata, installer, direct] = await Promise.all([
    read(`${record}/METADATA`),
    read(`${record}/INSTALLER`),
    read(`${record}/direct_url.json`),
  ]);
  const head = headOf(metadata);
  const { name, version } = identity(head, record);
  return [
    {
      name,
      ...(version ? { version } : {}),
      requires: requiresIn(head),
      ...(installer?.trim() ? { installer: installer.trim().toLowerCase() } : {}),
      ...(direct === undefined ? {} : { directUrl: parseJson(direct) }),
      record,
    },
  ];
}

async function readEggInfo(record: string, read: ReadText): Promise<Distribution[]> {
  const directory = (await stat(record)).isDirectory();
  const metadata = await read(directory ? path.join(record, 'PKG-INFO') : record);
  const installer = directory ? (await read(path.join(record, 'INSTALLER')))?.trim().toLowerCase() : undefined;
  const { name, version } = identity(headOf(metadata), record);
  return [{ name, ...(version ? { version } : {}), ...(installer ? { installer } : {}), record }];
}

async function readEggLink(record: string, read: ReadText): Promise<Distribution[]> {
  const [first = ''] = ((await read(record)) ?? '').split('\n');
  return [{ name: path.basename(record, '.egg-link'), linkedTo: first.trim(), record }];
}

/** A .pth line is a directory to look in; lines that begin with `import` are run by Python, and left alone here. */
async function readPth(record: string, read: ReadText): Promise<Distribution[]> {
  const site = path.dirname(record);
  const lines = ((await read(record)) ?? '').split(/\r?\n/).map((line) => line.trimEnd());
  const directories = lines.filter((line) => line !== '' && !/^(#|import[ \t])/.test(line)).map((line) => path.resolve(site, line));
  const outside = directories.filter((directory) => !`${directory}/`.startsWith(`${site}/`));
  // The finder of an editable install is recorded by its own dist-info beside it.
  if (path.basename(record).startsWith('__editable__')) return [];
  const existing: Distribution[] = [];
  for (const linkedTo of outside) {
    const there = await stat(linkedTo).catch(() => undefined);
    if (there?.isDirectory()) existing.push({ name: path.basename(record), linkedTo, record });
  }
  return existing;
}

function requiresIn(head: string): string[] {
  return [...head.matchAll(/^Requires-Dist:[ \t]*(\S.*?)[ \t\r]*$/gim)].map(([, line]) => line!);
}

/** What stands before the description, which may be long. */
function headOf(metadata = ''): string {
  const end = /\r?\n\r?\n/.exec(metadata)?.index;
  return metadata.slice(0, end);
}

/** Name and version of the metadata, else of the record's own name; without metadata the version is not believed. */
function identity(head: string, record: string): { name: string; version?: string } {
  const name = /^Name:[ \t]*(\S.*?)[ \t\r]*$/im.exec(head)?.[1] ?? path.basename(record).split('-')[0]!;
  const version = /^Version:[ \t]*(\S.*?)[ \t\r]*$/im.exec(head)?.[1];
  return { name, ...(version ? { version } : {}) };
}

/** A damaged file counts as an unknown origin, which is refused by name later. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
