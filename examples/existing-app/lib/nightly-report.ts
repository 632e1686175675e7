import path from 'node:path';
import { Duration, TimeZone } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { ScheduledJob } from 'rawcloud';
import type { RawCloud } from 'rawcloud';

export interface NightlyReportProps {
  readonly cloud: RawCloud;
  /** What the report is about. */
  readonly table: ITable;
}

/** A construct as any other of the app: the job, its time, and what it may read. */
export class NightlyReport extends Construct {
  readonly job: ScheduledJob;

  constructor(scope: Construct, id: string, { cloud, table }: NightlyReportProps) {
    super(scope, id);
    this.job = new ScheduledJob(this, 'Job', {
      cloud,
      name: 'nightly-report',
      schedule: ScheduleExpression.cron({ hour: '3', minute: '30', timeZone: TimeZone.EUROPE_ZURICH }),
      // From the project's directory, in which cdk and jest both run; __dirname is another once compiled.
      source: path.resolve('nightly'),
      command: ['bash', 'report.sh'],
      variables: { TABLE: table.tableName },
      timeout: Duration.minutes(30),
    });
    table.grantReadData(this.job);
  }
}
