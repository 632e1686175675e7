import * as v from 'valibot';
import { ServiceError } from '../service';

/** What the local cloud reads of a session document. Source: Systems Manager user guide, "Session document schema". */
const DocumentSchema = v.object({
  sessionType: v.literal('InteractiveCommands'),
  parameters: v.record(v.string(), v.object({ default: v.optional(v.string()), allowedPattern: v.optional(v.string()) })),
  properties: v.object({ linux: v.object({ commands: v.string(), runAsElevated: v.literal(true) }) }),
});
type Document = v.InferOutput<typeof DocumentSchema>;

export function parseDocument(content: object): Document {
  return v.parse(DocumentSchema, content);
}

/** The shell's words of a document with its parameters in. @throws InvalidParameters */
export function commandsOf({ parameters, properties }: Document, given: Readonly<Record<string, readonly string[]>>): string {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(parameters, name));
  if (unknown !== undefined) throw invalid(`Parameter "${unknown}" is not defined in the document.`);
  const values = Object.entries(parameters).map(([name, { default: usual, allowedPattern }]) => {
    const value = given[name]?.[0] ?? usual;
    if (value === undefined) throw invalid(`Parameter "${name}" requires argument value.`);
    if (allowedPattern !== undefined && !new RegExp(allowedPattern).test(value)) {
      throw invalid(`Parameter "${name}" has value "${value}" not matching "${allowedPattern}".`);
    }
    return [name, value] as const;
  });
  return values.reduce((text, [name, value]) => text.replaceAll(new RegExp(`{{ *${name} *}}`, 'g'), value), properties.linux.commands);
}

function invalid(message: string): ServiceError {
  return new ServiceError(400, 'InvalidParameters', message);
}
