import { readdir } from 'node:fs/promises';
import { canonicalName } from '../../contract';
import type { MeasuredPackages, Notice } from '../../contract';
import type { Distribution } from './distributions';
import { TextReader } from './read-text';

/** What lies in site-packages without being of a package: of interpreters and of tools that make environments. */
const NOBODYS =
  /^(\.|~|__pycache__$|_virtualenv\.|_distutils_hack$|sitecustomize\.|usercustomize\.|README)|\.(dist-info|egg-info|egg-link|pth|egg)$/;
/** Names shown of a list that may be long. */
const SHOWN = 4;

/**
 * What packages take on a disk by their RECORDs, and what lies beside them without one.
 * @param site whose directory is looked through for what no package has recorded. @default - none is
 */
export async function measureInstalled(distributions: readonly Distribution[], site?: string): Promise<MeasuredPackages> {
  const reader = new TextReader();
  const sizes: Record<string, number> = {};
  const recorded = new Set<string>();
  // Eggs, and what setup.py installed, do not say what is theirs.
  let isComplete = true;
  for (const { name, record } of distributions) {
    const text = record.endsWith('.dist-info') ? await reader.read(`${record}/RECORD`) : undefined;
    const { bytes, tops } = filesIn(text ?? '');
    if (tops.length === 0) isComplete = false;
    else sizes[canonicalName(name)] = bytes;
    for (const top of tops) recorded.add(top);
  }
  const strays = site !== undefined && isComplete && distributions.length > 0 ? await straysIn(site, recorded) : [];
  return { sizes, notices: strays.length > 0 ? [strayNotice(site!, strays)] : [] };
}

/** Lines of a RECORD: `path,hash,size`; the path is quoted when it holds a comma. Large packages have ten thousands of them. */
function filesIn(text: string): { readonly bytes: number; readonly tops: readonly string[] } {
  const tops = new Set<string>();
  let bytes = 0;
  /** That of the line before, with its slash: most lines have the same. */
  let directory = '';
  let next: number;
  for (let start = 0; start < text.length; start = next) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    next = end + 1;
    if (end === start || text.slice(start, end) === '\r') continue;
    bytes += Number(text.slice(Math.max(start, text.lastIndexOf(',', end) + 1), end)) || 0;
    if (directory !== '' && text.startsWith(directory, start)) continue;
    const top = topOf(text.slice(text[start] === '"' ? start + 1 : start, end));
    tops.add(top);
    directory = `${top}/`;
  }
  return { bytes, tops: [...tops] };
}

function topOf(name: string): string {
  const end = name.search(/[/,"\r]/);
  return end < 0 ? name : name.slice(0, end);
}

async function straysIn(site: string, recorded: ReadonlySet<string>): Promise<string[]> {
  return (await readdir(site)).filter((name) => !recorded.has(name) && !NOBODYS.test(name)).sort();
}

function strayNotice(site: string, strays: readonly string[]): Notice {
  const few = strays.slice(0, SHOWN).join(', ') + (strays.length > SHOWN ? ' …' : '');
  const them = strays.length === 1 ? 'it does' : 'they do';
  return {
    level: 'warning',
    text: `no package has recorded ${few} of ${site}, so ${them} not travel: install by pip or uv what the command needs of it`,
  };
}
