import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fromRow, toRow } from '../../store/packs';
import type { PackedBlob } from '../../store/packs';

/*
 * What a client believes to be in a bucket: one JSON line an object,
 *
 *   {"object":"<sha256>","at":<ms>,"blobs":[[sha256, offset, length, encoding, bytes], …]}
 *   {"object":"<sha256>","at":0,"blobs":…}   about to be sent
 *   {"object":"<sha256>","at":<ms>}      seen (again)
 *   {"object":"<sha256>","gone":true}
 *   {"file":"<sha256>","bytes":<n>,"parts":["<sha256>", …]}   what the parts of a large file are, wherever they lie
 *
 * where later lines win. Lines are appended, each in one write that begins and ends with a line break, so that clients side
 * by side do not lose one another's lines, and one that was torn by a crash spoils none but itself. Whatever cannot be read
 * is skipped: to know less only costs uploading again.
 */

/** Content, and the object that it lies in. */
export interface KnownBlob extends PackedBlob {
  readonly object: string;
}

/** Content that lies in several objects. */
export interface KnownParts {
  readonly sha256: string;
  readonly bytes: number;
  readonly parts: readonly string[];
}

export interface CachedObject {
  readonly object: string;
  /** When it was seen in the bucket, milliseconds since 1970. */
  readonly at: number;
  readonly blobs: readonly KnownBlob[];
  find(sha256: string): KnownBlob | undefined;
}

/** An object whose blobs are known. */
export function cachedObject(object: string, at: number, blobs: readonly PackedBlob[]): CachedObject {
  return new PlainObject(
    object,
    at,
    blobs.map((blob) => ({ ...blob, object })),
  );
}

class PlainObject implements CachedObject {
  constructor(
    readonly object: string,
    readonly at: number,
    readonly blobs: readonly KnownBlob[],
  ) {}

  find(sha256: string): KnownBlob | undefined {
    return this.blobs.find((blob) => blob.sha256 === sha256);
  }
}

/** Lines that say nothing any more, beyond which the file is written anew. */
const MOST_STALE_LINES = 1000;

export class CacheFile {
  #queue: Promise<void> = Promise.resolve();

  constructor(private readonly file: string) {}

  async read(): Promise<{ readonly objects: CachedObject[]; readonly files: KnownParts[] }> {
    const text = await readFile(this.file, 'latin1').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '');
    const objects = new Map<string, CachedObject>();
    const files = new Map<string, KnownParts>();
    for (const line of lines) applyLine(objects, files, line);
    const all = { objects: [...objects.values()], files: [...files.values()] };
    if (lines.length - objects.size - files.size > MOST_STALE_LINES) await this.#rewrite(all.objects, all.files);
    return all;
  }

  /** Files whose parts are all gone are forgotten when the file is written anew. */
  cut(file: KnownParts): Promise<void> {
    return this.#append([fileLineOf(file)]);
  }

  stored(objects: readonly Line[]): Promise<void> {
    return this.#append(objects.map(lineOf));
  }

  seen(objects: readonly string[], at: number): Promise<void> {
    return this.#append(objects.map((object) => JSON.stringify({ object, at })));
  }

  gone(objects: readonly string[]): Promise<void> {
    return this.#append(objects.map((object) => JSON.stringify({ object, gone: true })));
  }

  #append(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return Promise.resolve();
    const done = this.#queue.then(async () => {
      await mkdir(path.dirname(this.file), { recursive: true });
      await appendFile(this.file, `\n${lines.join('\n')}\n`);
    });
    // Whoever appended hears of its failure; the next one tries for itself.
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** Another client's line that comes in between is lost, and with it some knowledge. */
  async #rewrite(objects: readonly CachedObject[], files: readonly KnownParts[]): Promise<void> {
    const seen = objects.filter(({ at }) => at > 0);
    const there = new Set(seen.map(({ object }) => object));
    const lines = [...seen.map(lineOf), ...files.filter(({ parts }) => parts.some((part) => there.has(part))).map(fileLineOf)];
    const temporary = `${this.file}.${randomUUID()}`;
    try {
      await writeFile(temporary, `${lines.join('\n')}\n`);
      await rename(temporary, this.file);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

interface Line {
  readonly object: string;
  readonly at: number;
  readonly blobs: readonly PackedBlob[];
}

function lineOf({ object, at, blobs }: Line): string {
  return JSON.stringify({ object, at, blobs: blobs.map(toRow) });
}

function fileLineOf({ sha256, bytes, parts }: KnownParts): string {
  return JSON.stringify({ file: sha256, bytes, parts });
}

/** How a line of {@link lineOf} begins; the rest is the rows of the blobs. */
const OBJECT_LINE = /^\{"object":"([0-9a-f]{64})","at":(\d+),"blobs":(?=\[)/;

/** Most runs ask for none of the blobs, or for a few: all are read when somebody wants all. */
class LazyObject implements CachedObject {
  #blobs: readonly KnownBlob[] | undefined;

  constructor(
    readonly object: string,
    readonly at: number,
    private rows: string,
  ) {}

  get blobs(): readonly KnownBlob[] {
    if (!this.#blobs) {
      this.#blobs = (blobsOf(parseJson(this.rows)) ?? []).map((blob) => ({ ...blob, object: this.object }));
      this.rows = '';
    }
    return this.#blobs;
  }

  find(sha256: string): KnownBlob | undefined {
    if (this.#blobs) return this.#blobs.find((blob) => blob.sha256 === sha256);
    const start = this.rows.indexOf(`["${sha256}",`);
    const found = start < 0 ? undefined : fromRow(parseJson(this.rows.slice(start, this.rows.indexOf(']', start) + 1)));
    return found && { ...found, object: this.object };
  }
}

function applyLine(objects: Map<string, CachedObject>, files: Map<string, KnownParts>, text: string): void {
  const written = OBJECT_LINE.exec(text);
  if (written && text.endsWith(']}')) {
    const [head, object, at] = written;
    objects.set(object!, new LazyObject(object!, Number(at), text.slice(head.length, -1)));
    return;
  }
  const line = parseLine(text);
  const file = line && partsOf(line);
  if (file) files.set(file.sha256, file);
  if (!line || typeof line['object'] !== 'string') return;
  const { object, at, blobs, gone } = line;
  if (gone === true) objects.delete(object);
  if (typeof at !== 'number') return;
  const known = objects.get(object);
  if (blobs === undefined && known) objects.set(object, new Seen(known, Math.max(known.at, at)));
  const read = blobsOf(blobs);
  if (read) objects.set(object, cachedObject(object, at, read));
}

/** The same object, seen later. */
class Seen implements CachedObject {
  constructor(
    private readonly before: CachedObject,
    readonly at: number,
  ) {}

  get object(): string {
    return this.before.object;
  }

  get blobs(): readonly KnownBlob[] {
    return this.before.blobs;
  }

  find(sha256: string): KnownBlob | undefined {
    return this.before.find(sha256);
  }
}

function partsOf({ file, bytes, parts }: Partial<Record<string, unknown>>): KnownParts | undefined {
  if (typeof file !== 'string' || typeof bytes !== 'number' || !Array.isArray(parts)) return undefined;
  const read: readonly unknown[] = parts;
  return read.every((part) => typeof part === 'string') ? { sha256: file, bytes, parts: read } : undefined;
}

function blobsOf(rows: unknown): PackedBlob[] | undefined {
  if (!Array.isArray(rows)) return undefined;
  const read = rows.map(fromRow);
  return read.every((blob) => blob !== undefined) ? read : undefined;
}

function parseLine(text: string): Partial<Record<string, unknown>> | undefined {
  const line = parseJson(text);
  return typeof line === 'object' && line !== null ? line : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
