/*
 * What the reaper's function counts, when it shall: lines of its log from which CloudWatch makes metrics, without a call or a
 * permission. Source: CloudWatch user guide, "Specification: Embedded metric format".
 */

export const METRIC_NAMESPACE = 'rawcloud';

/** The one dimension: name of the scaffolding. Each value of it is a metric that is paid for. */
export const METRIC_DIMENSION = 'Scaffolding';

/** Variable of the function's environment that turns them on. */
export const METRICS_VARIABLE = 'RAWCLOUD_METRICS';

/** What a pass tells by the length of a list, by metric. Four, and no more: each costs. */
const COUNTED = { LeftoversFound: 'marked', LeftoversRemoved: 'removed', Unproved: 'unproved', JobsFailed: 'failed' } as const;
export type MetricName = keyof typeof COUNTED;

/** What of a pass is counted. */
export type Counted = Readonly<Record<(typeof COUNTED)[MetricName], readonly unknown[]>>;

/**
 * The log's line for one pass. @param at milliseconds since 1970
 * @returns undefined when there is nothing to count: an hour without a value costs nothing
 */
export function metricLine(scaffold: string, at: number, pass: Counted): string | undefined {
  const counts = Object.entries(COUNTED).flatMap(([Name, list]) => (pass[list].length > 0 ? [[Name, pass[list].length] as const] : []));
  if (counts.length === 0) return undefined;
  const directive = {
    Namespace: METRIC_NAMESPACE,
    Dimensions: [[METRIC_DIMENSION]],
    Metrics: counts.map(([Name]) => ({ Name, Unit: 'Count' })),
  };
  return JSON.stringify({
    _aws: { Timestamp: at, CloudWatchMetrics: [directive] },
    [METRIC_DIMENSION]: scaffold,
    ...Object.fromEntries(counts),
  });
}
