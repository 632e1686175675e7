/** As git has them: of ASCII only, and white space without vertical tab and form feed. */
const NAMED: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[\x21-\x7e]/,
  lower: /[a-z]/,
  print: /[\x20-\x7e]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

type Test = (byte: string) => boolean;

/**
 * Reads `[…]` of a glob that begins at `start`.
 * @returns as a part of a regular expression that never takes a '/'; undefined for what is no class: then nothing matches
 */
export function readClass(glob: string, start: number, ignoreCase: boolean): { source: string; end: number } | undefined {
  const negated = glob[start + 1] === '!' || glob[start + 1] === '^';
  const read = readTests(glob, start + (negated ? 2 : 1), ignoreCase);
  if (!read) return undefined;
  let source = '';
  for (let code = 1; code < 256; code++) {
    const byte = String.fromCharCode(code);
    const tested = ignoreCase ? byte.replace(/[A-Z]/, (letter) => letter.toLowerCase()) : byte;
    if (byte !== '/' && read.tests.some((test) => test(tested)) !== negated) source += `\\x${code.toString(16).padStart(2, '0')}`;
  }
  return { source: `[${source}]`, end: read.end };
}

function readTests(glob: string, from: number, ignoreCase: boolean): { tests: Test[]; end: number } | undefined {
  const tests: Test[] = [];
  /** What a range may begin with. */
  let previous = '';
  let at = from;
  // A bracket that comes first is one of the class.
  do {
    const named = namedClassAt(glob, at);
    if (named === 'unknown') return undefined;
    const isRange = !named && glob[at] === '-' && previous !== '' && at + 1 < glob.length && glob[at + 1] !== ']';
    const character = characterAt(glob, isRange ? at + 1 : at);
    if (!character) return undefined;
    if (named) tests.push(namedTest(named.name, ignoreCase));
    else tests.push(isRange ? rangeTest(previous, character.value, ignoreCase) : (byte) => byte === character.value);
    previous = named || isRange ? '' : character.value;
    at = (named ?? character).end;
  } while (glob[at] !== ']');
  return { tests, end: at + 1 };
}

function characterAt(glob: string, at: number): { value: string; end: number } | undefined {
  const quoted = glob[at] === '\\';
  const value = glob[quoted ? at + 1 : at];
  return value === undefined ? undefined : { value, end: at + (quoted ? 2 : 1) };
}

function rangeTest(first: string, last: string, ignoreCase: boolean): Test {
  const within: Test = (byte) => first <= byte && byte <= last;
  return (byte) => within(byte) || (ignoreCase && /[a-z]/.test(byte) && within(byte.toUpperCase()));
}

/** `[:name:]`. What is not closed by `:]` is a bracket like any other character. */
function namedClassAt(glob: string, at: number): { name: string; end: number } | 'unknown' | undefined {
  if (!glob.startsWith('[:', at)) return undefined;
  const close = glob.indexOf(']', at + 2);
  if (close < 0) return 'unknown';
  if (close < at + 3 || glob[close - 1] !== ':') return undefined;
  const name = glob.slice(at + 2, close - 1);
  return Object.hasOwn(NAMED, name) ? { name, end: close + 1 } : 'unknown';
}

function namedTest(name: string, ignoreCase: boolean): Test {
  const characters = NAMED[name]!;
  return (byte) => characters.test(byte) || (ignoreCase && name === 'upper' && /[a-z]/.test(byte));
}
