import { EVENT_DATA_SCHEMAS } from '../../lib/contract/event-schemas';
import { ANSWER_SCHEMAS, CLI_LINE_SCHEMAS } from '../json/schemas';
import { code, GENERATED, page, table } from './markdown';
import { shapeOf } from './shape';

/** docs/json.md */
export function jsonPage(): string {
  return page([
    '# JSON',
    GENERATED,
    `With ${code('--json')} every verb prints one object a line on stdout and nothing else there. A ${code('?')} marks what may be missing.`,
    '## Lines of a job',
    `${code('run')}, ${code('attach')}, ${code('stop')}, ${code('download')} and ${code('logs')} print lines in one envelope; ${code('at')} is ISO 8601 in UTC, times in data are milliseconds since 1970 where they are numbers.`,
    '```\n{ v: 1, at: string, job?: string, vm?: string, task?: number, type: string, data: object }\n```',
    rows('type', { ...EVENT_DATA_SCHEMAS, ...CLI_LINE_SCHEMAS }),
    `An ${code('error')} is the last line of any verb that failed; ${code('rawcloud explain CODE')} tells about its code.`,
    '## Answers',
    `The other verbs print one object without an envelope.`,
    rows('verb', ANSWER_SCHEMAS),
  ]);
}

function rows(head: string, schemas: Readonly<Record<string, unknown>>): string {
  return table(
    [head, 'shape'],
    Object.entries(schemas).map(([name, schema]) => [code(name), code(shapeOf(schema))]),
  );
}
