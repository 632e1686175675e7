import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { IConstruct } from 'constructs';
import { METRIC_DIMENSION, METRIC_NAMESPACE } from '../contract';
import type { MetricName } from '../contract';

/** One metric of a scaffolding. */
export interface MetricOfScaffold {
  readonly scaffold: string;
  readonly isOn: boolean;
  readonly metricName: MetricName;
}

/** @throws when metrics are off: an alarm on what is never written would never go off */
export function metricOf(scope: IConstruct, { scaffold, isOn, metricName }: MetricOfScaffold, props: MetricOptions): Metric {
  if (!isOn) throw new Error(`rawcloud: there is no metric '${metricName}' unless RawCloud has \`metrics: true\``);
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName,
    dimensionsMap: { [METRIC_DIMENSION]: scaffold },
    statistic: Stats.SUM,
    ...props,
  }).attachTo(scope);
}
