/** What of a valibot schema the page on JSON shows. */
interface Node {
  readonly type: string;
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly item?: unknown;
  readonly items?: readonly unknown[];
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly value?: unknown;
  readonly wrapped?: unknown;
}

/** A schema in the notation of TypeScript: `{ files: number, name?: string }`. */
export function shapeOf(schema: unknown): string {
  if (!isNode(schema)) throw new Error('this is no schema');
  switch (schema.type) {
    case 'object':
    case 'strict_object':
    case 'loose_object':
      return objectShape(schema);
    case 'array':
      return `${shapeOf(schema.item)}[]`;
    case 'tuple':
      return `[${(schema.items ?? []).map(shapeOf).join(', ')}]`;
    case 'record':
      return `{ [name: string]: ${shapeOf(schema.value)} }`;
    case 'picklist':
      // The codes of errors are a page of their own.
      return (schema.options ?? []).length > 12 ? 'string' : `(${(schema.options ?? []).map(String).join(' | ')})`;
    case 'literal':
      return String(schema.literal);
    default:
      return schema.type;
  }
}

function objectShape({ entries = {}, type }: Node): string {
  const parts = Object.entries(entries).map(([name, entry]) =>
    isNode(entry) && entry.type === 'optional' ? `${name}?: ${shapeOf(entry.wrapped)}` : `${name}: ${shapeOf(entry)}`,
  );
  const all = type === 'loose_object' ? [...parts, '…'] : parts;
  return all.length === 0 ? '{}' : `{ ${all.join(', ')} }`;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
