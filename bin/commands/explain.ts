import { ERROR_CODES, nearest, RawcloudError } from '../../lib/contract';
import type { ErrorCode } from '../../lib/contract';
import { ERROR_TEXTS } from '../../lib/contract/error-texts';
import type { Context } from '../context';
import { SOURCE_TEXTS } from '../render/error-source';
import { styleFor, widthOf } from '../render/style';
import type { Style } from '../render/style';
import { folded } from '../render/text';

/** Lines longer than this are hard to read, however wide the window is. */
const WIDEST = 100;

/** `rawcloud explain [code]`: what an error means, why it comes about and what to do; without a code all of them. */
export async function explain(code: string | undefined, { json }: { readonly json?: boolean }, context: Context): Promise<number> {
  const { io, out } = context;
  const codes = code === undefined ? ALL : [known(code)];
  if (json) {
    await out.write(`${JSON.stringify({ v: 1, errors: codes.map(jsonError) })}\n`);
    return 0;
  }
  const style = styleFor(io.stdout, io.env);
  const width = Math.min(WIDEST, widthOf(io.stdout, io.env, WIDEST));
  const lines = code === undefined ? listLines(style) : codes.flatMap((one) => errorLines(one, style, width));
  await out.write(`${lines.join('\n')}\n`);
  return 0;
}

const ALL = Object.keys(ERROR_CODES) as ErrorCode[];

/** Lower case and a missing `E_` are forgiven. @throws E_USAGE with the nearest codes */
function known(typed: string): ErrorCode {
  const upper = typed.toUpperCase().replaceAll('-', '_');
  const code = upper.startsWith('E_') ? upper : `E_${upper}`;
  const found = ALL.find((one) => one === code);
  if (found) return found;
  // Without the E_, which all have in common and which would make short ones look alike.
  const near = nearest(
    code.slice(2),
    ALL.map((one) => one.slice(2)),
  ).map((name) => `E_${name}`);
  throw new RawcloudError('E_USAGE', `there is no error '${typed}'${near.length > 0 ? `; did you mean ${near.join(' or ')}?` : ''}`, {
    remedy: '`rawcloud explain` lists all codes.',
  });
}

function jsonError(code: ErrorCode): object {
  return { code, ...ERROR_CODES[code], ...ERROR_TEXTS[code] };
}

function listLines(style: Style): string[] {
  const widest = Math.max(...ALL.map((code) => code.length));
  const row = (code: ErrorCode) =>
    `${code.padEnd(widest)}  ${style.dim(String(ERROR_CODES[code].exitCode).padStart(4))}  ${ERROR_CODES[code].title}`;
  return [style.dim(`${'CODE'.padEnd(widest)}  EXIT  MEANING`), ...ALL.map(row)];
}

function errorLines(code: ErrorCode, style: Style, width: number): string[] {
  const { title, source, exitCode } = ERROR_CODES[code];
  const { means, why, todo } = ERROR_TEXTS[code];
  const items = (list: readonly string[]) => list.flatMap((item) => folded(item, width, '  - ', '    '));
  return [
    ...folded(`${code}: ${title}`, width).map((line) => style.bold(line)),
    '',
    ...folded(means, width),
    '',
    style.bold('Why it happens'),
    ...items(why),
    '',
    style.bold('What to do'),
    ...items(todo),
    '',
    ...folded(`Exit code ${exitCode}. ${SOURCE_TEXTS[source]}`, width).map((line) => style.dim(line)),
  ];
}
