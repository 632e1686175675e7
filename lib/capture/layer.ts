import { createHash } from 'node:crypto';
import type { Layer, Notice, SourceContent } from '../contract';

/** JSON with the members of every object in order of their names: equal values give equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(byName))
      : member,
  );
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** A layer whose key is the SHA-256 of its canonical recipe and platform. */
export function makeLayer(
  kind: string,
  platform: string,
  recipe: Readonly<Record<string, unknown>>,
  contents: readonly SourceContent[],
  notices: readonly Notice[],
): Layer {
  const key = createHash('sha256').update(canonicalJson({ kind, platform, recipe })).digest('hex');
  const sources = contents.map(({ sha256, bytes }) => ({ sha256, bytes: bytes.byteLength }));
  return { kind, key, platform, recipe: { ...recipe }, sources, notices: [...notices] };
}

/** Bytes under their hash. */
export function contentOf(bytes: Uint8Array): SourceContent {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes };
}
