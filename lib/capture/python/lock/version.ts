/*
 * Versions and what is asked of them. Source: PyPA specification "Version specifiers" (PEP 440).
 */

interface Version {
  readonly epoch: number;
  readonly release: readonly number[];
  /** Order among versions of one release: development, pre-release, final, post-release. */
  readonly rest: readonly number[];
  readonly local: string | undefined;
}

const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(?:post|rev|r)[-_.]?(\d*))?(?:[-_.]?dev[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/i;

const PRE: Readonly<Record<string, number>> = { alpha: 1, a: 1, beta: 2, b: 2, preview: 3, pre: 3, c: 3, rc: 3 };
const FINAL = 4;

/** undefined for what is no version. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text.trim());
  if (!match) return undefined;
  const [, epoch, release, pre, preNumber, postShort, post, dev, local] = match;
  const isPost = postShort !== undefined || post !== undefined;
  const isDev = dev !== undefined;
  // A development release of the final version comes before its pre-releases.
  const stage = pre ? PRE[pre.toLowerCase()]! : isDev && !isPost ? 0 : FINAL;
  return {
    epoch: Number(epoch ?? 0),
    release: release!.split('.').map(Number),
    rest: [stage, Number(preNumber || 0), isPost ? Number(postShort ?? (post || 0)) : -1, isDev ? Number(dev || 0) : Infinity],
    local: local?.toLowerCase().replace(/[-_]/g, '.'),
  };
}

/** Below 0, 0, or above 0; local parts (`+cu121`) are not compared. */
export function compareVersions(a: Version, b: Version): number {
  return a.epoch - b.epoch || compareLists(a.release, b.release, 0) || compareLists(a.rest, b.rest, 0);
}

function compareLists(a: readonly number[], b: readonly number[], missing: number): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [left, right] = [a[at] ?? missing, b[at] ?? missing];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Whether a version is one of those that `>=1.2,<2` and the like allow; undefined when the text cannot be read. */
export function satisfies(version: string, specifiers: string): boolean | undefined {
  const parsed = parseVersion(version);
  const clauses = specifiers
    .split(',')
    .map((clause) => clause.trim())
    .filter((clause) => clause !== '' && clause !== '*');
  const answers = clauses.map((clause) => (parsed ? satisfiesClause(parsed, version, clause) : undefined));
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}

function satisfiesClause(version: Version, text: string, clause: string): boolean | undefined {
  const [, operator, wanted = ''] = /^(===|==|!=|~=|<=|>=|<|>)\s*(.+)$/.exec(clause) ?? [];
  if (operator === '===') return text === wanted;
  if (wanted.endsWith('.*')) return ofSeries(version, operator, wanted.slice(0, -2));
  const other = parseVersion(wanted);
  if (!other) return undefined;
  const order = compareVersions(version, other);
  const isEqual = order === 0 && (other.local === undefined || other.local === version.local);
  switch (operator) {
    case '==':
      return isEqual;
    case '!=':
      return !isEqual;
    case '<=':
      return order <= 0;
    case '>=':
      return order >= 0;
    case '<':
      return order < 0;
    case '>':
      return order > 0;
    case '~=':
      return order >= 0 && startsWith(version, other, other.release.length - 1);
    default:
      return undefined;
  }
}

function ofSeries(version: Version, operator: string | undefined, series: string): boolean | undefined {
  const other = parseVersion(series);
  if (!other) return undefined;
  const within = startsWith(version, other, other.release.length);
  return operator === '==' ? within : operator === '!=' ? !within : undefined;
}

function startsWith(version: Version, other: Version, parts: number): boolean {
  return version.epoch === other.epoch && other.release.slice(0, parts).every((part, at) => part === (version.release[at] ?? 0));
}
