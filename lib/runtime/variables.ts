/**
 * Variables that may stand in the spec, in the clear, because their values are settings and never secrets.
 * Every other variable travels through the sealed object and the grant only.
 */
const HARMLESS: ReadonlySet<string> = new Set([
  'LANG',
  'LANGUAGE',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TERM',
  'COLUMNS',
  'LINES',
  'NO_COLOR',
  'FORCE_COLOR',
  'CI',
  'PYTHONHASHSEED',
  'PYTHONOPTIMIZE',
  'PYTHONUNBUFFERED',
  'PYTHONDONTWRITEBYTECODE',
  'OMP_NUM_THREADS',
  'MKL_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'RAYON_NUM_THREADS',
  'GOMAXPROCS',
  'NODE_ENV',
  'RUST_BACKTRACE',
  'RUST_LOG',
]);

export interface SortedVariables {
  readonly harmless: Record<string, string>;
  readonly secret: Record<string, string>;
}

/** Splits variables into those that may be seen and those that may not. @param hidden may not be seen whatever their names */
export function sortVariables(variables: Readonly<Record<string, string>>, hidden: Readonly<Record<string, string>> = {}): SortedVariables {
  const harmless: Record<string, string> = {};
  const secret: Record<string, string> = { ...hidden };
  for (const [name, value] of Object.entries(variables)) (HARMLESS.has(name) ? harmless : secret)[name] = value;
  return { harmless, secret };
}
