import * as v from 'valibot';
import { ownDirectory, parseLock, RELOCK, unknownFormat } from './lock';
import type { Lock } from './lock';
import { parseYaml, refuseConflict } from './yaml';

/** Reads yarn.lock: of yarn 1 (a form of its own) or of a later one (YAML). @throws E_PACKAGE when it is damaged or not known */
export async function readYarnLock(file: string): Promise<Lock> {
  const text = await parseLock(file, 'yarn', (content) => content);
  return /^__metadata:/m.test(text) ? readBerry(file) : readClassic(file);
}

/** Source: yarn 1, `src/lockfile/parse.js`: keys at the left margin, separated by commas, quoted where they must be. */
async function readClassic(file: string): Promise<Lock> {
  const entries = await parseLock(file, 'yarn', parseClassic);
  const known = new Set(entries.flatMap(({ keys }) => keys));
  return {
    file,
    manager: 'yarn',
    format: 'v1',
    managers: '^1.22',
    counts: { all: entries.length },
    knows: (name, range) => known.has(`${name}@${range}`) || (range === '' && known.has(`${name}@`)),
    developmentTools: new Set(),
    addresses: entries.flatMap(({ keys, resolved }) => (resolved === undefined ? [] : [[nameOf(keys[0]!), resolved] as const])),
  };
}

interface ClassicEntry {
  readonly keys: readonly string[];
  readonly resolved?: string;
}

function parseClassic(text: string): ClassicEntry[] {
  refuseConflict(text);
  const blocks = text.split(/\r?\n(?=\S)/).filter((block) => !/^(#|\s*$)/.test(block));
  return blocks.map((block) => {
    const [head = '', ...members] = block.split(/\r?\n/);
    if (!head.endsWith(':')) throw new Error(`'${head.slice(0, 40)}' is no entry of yarn 1`);
    const resolved = members.map((member) => /^ {2}resolved "?([^"\s]+)"?/.exec(member)?.[1]).find((found) => found !== undefined);
    return { keys: splitKeys(head.slice(0, -1)), ...(resolved === undefined ? {} : { resolved }) };
  });
}

/** `a@^1, "@b/c@^2, @b/c@^3"`: quotes may stand around one key or around several. */
function splitKeys(head: string): string[] {
  return head
    .split(',')
    .map((key) => key.trim().replace(/^"|"$/g, ''))
    .filter((key) => key !== '');
}

/** `@a/b@^1` gives `@a/b`. */
function nameOf(key: string): string {
  return key.slice(0, key.indexOf('@', 1));
}

const Names = v.nullish(v.record(v.string(), v.string()), {});
const EntrySchema = v.looseObject({ resolution: v.string(), linkType: v.optional(v.string()), dependencies: Names });
const MetadataSchema = v.looseObject({ version: v.string() });

/** Which yarn writes and reads each form. Source: yarnpkg/berry, `LOCKFILE_VERSION`. */
const FORMS: Readonly<Record<string, string>> = { '4': '2', '5': '3', '6': '3', '7': '4', '8': '4', '9': '>=4.10', '10': '>=4.10' };

async function readBerry(file: string): Promise<Lock> {
  const { __metadata: metadata, ...rest } = await parseLock(file, 'yarn', (text) =>
    // To yarn every scalar is text: versions 2 and 3 write a range `4` without quotes.
    v.parse(v.looseObject({ __metadata: MetadataSchema }), parseYaml(text, 'text')),
  );
  const managers = FORMS[metadata.version];
  if (managers === undefined)
    throw unknownFormat(file, metadata.version, Object.keys(FORMS).join(', '), `Run '${RELOCK.yarn}' with yarn 4, which rewrites it.`);
  const entries = Object.values(await parseLock(file, 'yarn', () => v.parse(v.record(v.string(), EntrySchema), rest)));
  const own = entries.flatMap(({ resolution, dependencies }) => {
    const at = /@workspace:(.+)$/.exec(resolution)?.[1];
    return at === undefined ? [] : [[ownDirectory(at), new Map(Object.entries(dependencies ?? {}))] as const];
  });
  return {
    file,
    manager: 'yarn',
    format: metadata.version,
    managers,
    counts: { all: entries.length - own.length },
    asked: new Map(own),
    developmentTools: new Set(),
    addresses: entries.map(({ resolution }) => [nameOf(resolution), resolution.slice(resolution.indexOf('@', 1) + 1)]),
  };
}
