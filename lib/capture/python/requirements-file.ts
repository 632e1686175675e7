import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { canonicalName, RawcloudError } from '../../contract';
import { hasCredentials } from './requirement';

/** The lockfile that pip and uv both read and write. */
export const REQUIREMENTS = 'requirements.txt';

/** How other tools write it. */
export const WRITE_IT =
  `Write it with 'uv export --frozen --no-dev --no-emit-project -o ${REQUIREMENTS}', 'uv pip compile', 'pip-compile' or, in the job's own ` +
  `virtual environment, 'pip freeze > ${REQUIREMENTS}'.`;

const HASHES = /(?:\s+--hash[= ]sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128}))*/.source;
const NAME = /[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?/.source;
/** `name[extra]==1.2 ; marker --hash=…`: no wildcard, one version. Source: PEP 508, pip's requirements file format. */
const EXACT = new RegExp(`^(${NAME})(?:\\[[^\\]]*\\])?\\s*===?\\s*[A-Za-z0-9][A-Za-z0-9.!+_-]*\\s*(?:;[^#]*?)?${HASHES}$`);
const FROM_URL = new RegExp(`^(${NAME})(?:\\[[^\\]]*\\])?\\s*@\\s*(\\S+)\\s*(?:;[^#]*?)?${HASHES}$`);

export interface LockedRequirements {
  /** Lines as pip takes them, sorted. */
  readonly lines: string[];
  /** Canonical names. */
  readonly names: ReadonlySet<string>;
}

/**
 * Reads a requirements.txt in which every package has one version, its dependencies too.
 * @throws E_PACKAGE naming each line that leaves something open, and what to do
 */
export async function readRequirements(file: string): Promise<LockedRequirements> {
  const lines = logicalLines(await readFile(file, 'utf8'));
  const open = lines.filter(({ text }) => !isExact(text));
  if (open.length > 0) {
    const named = open.map(({ at, text }) => `line ${at} '${withoutUrl(text)}'`).join(', ');
    throw new RawcloudError(
      'E_PACKAGE',
      `${file} does not pin everything: ${named}; allowed are NAME==VERSION, with markers and hashes, and URLs`,
      {
        remedy: WRITE_IT,
      },
    );
  }
  const hashed = lines.filter(({ text }) => text.includes('--hash'));
  if (hashed.length > 0 && hashed.length < lines.length) {
    const without = lines.filter((line) => !hashed.includes(line)).map(({ text }) => withoutUrl(text));
    throw new RawcloudError('E_PACKAGE', `${file} has hashes for some packages and none for ${without.join(', ')}: pip takes all or none`, {
      remedy: WRITE_IT,
    });
  }
  return { lines: lines.map(({ text }) => text).sort(), names: new Set(lines.map(({ text }) => canonicalName(nameOf(text)))) };
}

/** Whether every line is exact and has a hash: then it is a lockfile, and not a wish. */
export async function hasHashes(file: string): Promise<boolean> {
  const lines = logicalLines(await readFile(file, 'utf8'));
  return lines.length > 0 && lines.every(({ text }) => isExact(text) && text.includes('--hash'));
}

/** Without comments, and joined where a line ends with a backslash. */
function logicalLines(text: string): { readonly at: number; readonly text: string }[] {
  const lines: { at: number; text: string }[] = [];
  let isContinued = false;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(^|\s)#.*$/, '').trim();
    const part = line.replace(/\\$/, '').trim();
    const last = lines.at(-1);
    if (isContinued && last) last.text = `${last.text} ${part}`.trim();
    else lines.push({ at: index + 1, text: part });
    isContinued = line.endsWith('\\');
  }
  return lines.filter((line) => line.text !== '');
}

function isExact(line: string): boolean {
  if (EXACT.test(line)) return true;
  const url = FROM_URL.exec(line)?.[2];
  if (url === undefined) return false;
  const plain = url.replace(/^git\+/, '');
  if (!/^https:/.test(plain) || !URL.canParse(plain) || hasCredentials(new URL(plain))) return false;
  return plain === url || /@[0-9a-f]{40}(#|$)/.test(plain);
}

function nameOf(line: string): string {
  return (EXACT.exec(line) ?? FROM_URL.exec(line))?.[1] ?? line;
}

/** A URL may hold a password. */
function withoutUrl(line: string): string {
  return line.replace(/\S+:\/\/\S+/g, '<URL>').slice(0, 80);
}

/** The lockfile of a directory. */
export function requirementsOf(directory: string): string {
  return path.join(directory, REQUIREMENTS);
}
