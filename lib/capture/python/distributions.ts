import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { mapBounded } from '../../contract';
import { readText, TextReader } from './read-text';

/** A package as an environment records it. Nothing of it was imported or run. */
export interface Distribution {
  /** As the package spells it. */
  readonly name: string;
  /** Absent when the record is damaged, or names none. */
  readonly version?: string;
  /** Who installed it: `pip`, `uv`, `rpm`; absent when nobody says so, or nobody asked. */
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

/** Records read at the same time where each has to be waited for. */
const CONCURRENCY = 16;

export interface ReadOptions {
  /** Whether it matters who installed them. @default false */
  readonly installers?: boolean;
}

/** All packages recorded in one directory of Python's path, in order of their records' names. */
export async function readDistributions(site: string, { installers = false }: ReadOptions = {}): Promise<Distribution[]> {
  const names = (await readdir(site)).filter(isRecord).sort();
  const reader = new TextReader();
  const known: Distribution[] = [];
  let at = 0;
  for (; at < names.length && !reader.isFar; at++) {
    const name = names[at]!;
    if (name.endsWith(DIST_INFO)) known.push(readDistInfoNow(`${site}/${name}`, reader, installers));
    else known.push(...(await readRecord(site, name, reader)));
  }
  const rest = await mapBounded(names.slice(at), CONCURRENCY, (name) => readRecord(site, name, reader));
  known.push(...rest.flat());
  // `setup.py develop` leaves both a link with the name and a line in easy-install.pth.
  const linked = new Set(known.filter(({ record }) => record.endsWith('.egg-link')).map(({ linkedTo }) => linkedTo));
  return known.filter(({ record, linkedTo }) => !record.endsWith('.pth') || !linked.has(linkedTo));
}

const DIST_INFO = '.dist-info';
const RECORDS = [DIST_INFO, '.egg-info', '.egg-link', '.pth'];

/** pip renames what it is about to remove to `~…`, and leaves it so when it is interrupted. */
function isRecord(name: string): boolean {
  return !name.startsWith('~') && RECORDS.some((ending) => name.endsWith(ending));
}

async function readRecord(site: string, name: string, reader: TextReader): Promise<Distribution[]> {
  const record = `${site}/${name}`;
  if (name.endsWith('.egg-info')) return readEggInfo(record, reader);
  if (name.endsWith('.egg-link')) return readEggLink(record, reader);
  if (name.endsWith('.pth')) return readPth(record, reader);
  const [metadata, installer, direct] = await Promise.all([
    readText(metadataOf(record)),
    readText(installerOf(record)),
    readText(directUrlOf(record)),
  ]);
  return [distInfo(record, metadata, installer, direct)];
}

/** Of hundreds that lie near: no more than is needed, and the long one as far as it is needed. */
function readDistInfoNow(record: string, reader: TextReader, installers: boolean): Distribution {
  const metadata = reader.readHeadNow(metadataOf(record));
  const installer = installers ? reader.readNowIfThere(installerOf(record)) : undefined;
  return distInfo(record, metadata, installer, reader.readNowIfThere(directUrlOf(record)));
}

function metadataOf(record: string): string {
  return `${record}/METADATA`;
}

function installerOf(record: string): string {
  return `${record}/INSTALLER`;
}

function directUrlOf(record: string): string {
  return `${record}/direct_url.json`;
}

function distInfo(record: string, metadata: string | undefined, installer: string | undefined, direct: string | undefined): Distribution {
  const head = headOf(metadata);
  const { name, version } = identity(head, record);
  return {
    name,
    ...(version ? { version } : {}),
    requires: requiresIn(head),
    ...(installer?.trim() ? { installer: installer.trim().toLowerCase() } : {}),
    ...(direct === undefined ? {} : { directUrl: parseJson(direct) }),
    record,
  };
}

async function readEggInfo(record: string, reader: TextReader): Promise<Distribution[]> {
  const directory = (await stat(record)).isDirectory();
  const metadata = await reader.read(directory ? path.join(record, 'PKG-INFO') : record);
  const installer = directory ? (await reader.read(path.join(record, 'INSTALLER')))?.trim().toLowerCase() : undefined;
  const { name, version } = identity(headOf(metadata), record);
  return [{ name, ...(version ? { version } : {}), ...(installer ? { installer } : {}), record }];
}

async function readEggLink(record: string, reader: TextReader): Promise<Distribution[]> {
  const [first = ''] = ((await reader.read(record)) ?? '').split('\n');
  return [{ name: path.basename(record, '.egg-link'), linkedTo: first.trim(), record }];
}

/** A .pth line is a directory to look in; lines that begin with `import` are run by Python, and left alone here. */
async function readPth(record: string, reader: TextReader): Promise<Distribution[]> {
  const site = path.dirname(record);
  const lines = ((await reader.read(record)) ?? '').split(/\r?\n/).map((line) => line.trimEnd());
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
