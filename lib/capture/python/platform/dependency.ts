import { canonicalName } from '../../../contract';
import { evaluateMarker } from '../lock/marker';
import type { MarkerEnvironment } from '../lock/marker';

/** What a Requires-Dist asks for. */
export interface Dependency {
  /** Canonical. */
  readonly name: string;
  /** Canonical. */
  readonly extras: readonly string[];
  /** As pip takes it, without the marker. */
  readonly line: string;
  readonly marker?: string;
}

/** `name[extras] >=1; marker`, also `name (>=1)` of old metadata. Source: PyPA specification "Dependency specifiers". */
const FORM = /^([A-Za-z0-9][A-Za-z0-9._-]*?)\s*(?:\[([^\]]*)\])?\s*(?:@\s*(\S+)|\(([^)]*)\)|([=<>!~][^;]*))?\s*(?:;\s*(.+))?$/;

/** undefined for what cannot be read: pip would not have installed it. */
export function parseDependency(text: string): Dependency | undefined {
  const match = FORM.exec(text.trim());
  if (!match) return undefined;
  const [, name, extras = '', url, inParentheses, plain, marker] = match;
  const specifier = (inParentheses ?? plain ?? '').trim();
  const named = extras
    .split(',')
    .map((extra) => canonicalName(extra.trim()))
    .filter((extra) => extra !== '');
  const what = `${canonicalName(name!)}${named.length > 0 ? `[${named.join(',')}]` : ''}`;
  return {
    name: canonicalName(name!),
    extras: named,
    line: url === undefined ? `${what}${specifier.replace(/\s+/g, '')}` : `${what} @ ${url}`,
    ...(marker === undefined ? {} : { marker }),
  };
}

/** Extras that a marker asks about. */
export function extrasIn(marker: string): string[] {
  return [...marker.matchAll(/\bextra\s*==\s*["']([^"']+)["']|["']([^"']+)["']\s*==\s*extra\b/g)].map(([, right, left]) =>
    canonicalName(right ?? left!),
  );
}

/** Whether a dependency counts on a machine, with these extras. What cannot be read counts: to leave it out would be to guess. */
export function counts({ marker }: Dependency, values: MarkerEnvironment['values'], extras: ReadonlySet<string>): boolean {
  if (marker === undefined) return true;
  try {
    return evaluateMarker(marker, { values, extras, groups: new Set() });
  } catch (error) {
    if (error instanceof SyntaxError) return true;
    throw error;
  }
}
