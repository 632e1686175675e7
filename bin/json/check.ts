import * as v from 'valibot';
import { ENVELOPE, EVENT_DATA_SCHEMAS } from '../../lib/contract/event-schemas';
import { ANSWER_SCHEMAS, CLI_LINE_SCHEMAS } from './schemas';

const DATA: Readonly<Record<string, v.GenericSchema>> = { ...EVENT_DATA_SCHEMAS, ...CLI_LINE_SCHEMAS };
const Line = v.strictObject({ ...ENVELOPE, type: v.string(), data: v.unknown() });

/**
 * What is wrong with one line of `--json`; empty when nothing is.
 * @param verb the verb that printed it, as `ps` or `logs --boot`: an object without `type` is held to its answer
 */
export function problemsOf(line: unknown, verb: string): string[] {
  if (typeof line === 'object' && line !== null && 'type' in line && typeof line.type === 'string') return lineProblems(line, line.type);
  const answer = Object.entries(ANSWER_SCHEMAS).find(([name]) => name === verb)?.[1];
  return answer ? issues(answer, line, verb) : [`${verb} prints an object without a type`];
}

function lineProblems(line: object, type: string): string[] {
  const schema = DATA[type];
  if (!schema) return [`type '${type}' is not known`];
  return [...issues(Line, line, type), ...issues(schema, 'data' in line ? line.data : undefined, `${type}.data`)];
}

function issues(schema: v.GenericSchema, value: unknown, what: string): string[] {
  const parsed = v.safeParse(schema, value);
  return (parsed.issues ?? []).map((issue) => `${what}.${v.getDotPath(issue) ?? ''}: ${issue.message}`);
}
