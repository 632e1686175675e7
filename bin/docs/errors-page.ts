import { ERROR_CODES } from '../../lib/contract';
import type { ErrorCode } from '../../lib/contract';
import { ERROR_TEXTS } from '../../lib/contract/error-texts';
import { SOURCE_TEXTS } from '../render/error-source';
import { code, GENERATED, page, table } from './markdown';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

/** docs/errors.md */
export function errorsPage(): string {
  const rows = CODES.map((one) => [`[${one}](#${one.toLowerCase()})`, String(ERROR_CODES[one].exitCode), ERROR_CODES[one].title]);
  return page([
    '# Errors',
    GENERATED,
    `Every error ends with its code; ${code('rawcloud explain CODE')} prints what stands here. The exit code is that of the CLI.`,
    table(['code', 'exit', 'meaning'], rows),
    ...CODES.flatMap(section),
  ]);
}

function section(one: ErrorCode): string[] {
  const { title, source, exitCode } = ERROR_CODES[one];
  const { means, why, todo } = ERROR_TEXTS[one];
  const list = (items: readonly string[]) => items.map((item) => `- ${item}`).join('\n');
  return [
    `## ${one}`,
    `**${title}.** ${means}`,
    `Why it happens:\n\n${list(why)}`,
    `What to do:\n\n${list(todo)}`,
    `Exit code ${exitCode}. ${SOURCE_TEXTS[source]}`,
  ];
}
