import { ServiceError } from '../service';

/** Bytes `start` to `end` (exclusive). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The part of an object that `Range` asks for. Several ranges, other units and nonsense are ignored, as S3 does.
 * @returns undefined for the whole object
 * @throws ServiceError InvalidRange when nothing of it lies in the object
 */
export function readRange(header: string | undefined, bytes: number): Span | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.replaceAll(' ', '') ?? '');
  if (!header || !match) return undefined;
  const [, first, last] = match;
  if (!first && !last) return undefined;
  const start = first ? Number(first) : Math.max(0, bytes - Number(last));
  const end = first && last ? Math.min(bytes, Number(last) + 1) : bytes;
  if (first && last && Number(last) < Number(first)) return undefined;
  if (start >= bytes) throw notSatisfiable(header, bytes);
  return { start, end };
}

function notSatisfiable(header: string, bytes: number): ServiceError {
  return new ServiceError(416, 'InvalidRange', 'The requested range is not satisfiable', {
    RangeRequested: header,
    ActualObjectSize: String(bytes),
  });
}
