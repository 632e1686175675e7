import path from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { JobSecret, RawCloud, ScheduledJob } from 'rawcloud';

/** Counts the orders of a table each hour, and tells the number to a web service that wants a token. */
class HourlyStack extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const cloud = new RawCloud(this, 'RawCloud', { name: 'hourly' });
    const orders = new Table(this, 'Orders', { partitionKey: { name: 'id', type: AttributeType.STRING } });
    const token = new Secret(this, 'Token', { description: 'Of the web service that gets the report' });

    const report = new ScheduledJob(this, 'Report', {
      cloud,
      schedule: ScheduleExpression.rate(Duration.hours(1)),
      source: path.join(import.meta.dirname, 'job'),
      command: ['bash', 'report.sh'],
      variables: { TABLE: orders.tableName, REPORT_URL: 'https://reports.example.com/orders' },
      secrets: { TOKEN: JobSecret.fromSecretsManager(token) },
      timeout: Duration.minutes(10),
    });
    orders.grantReadData(report);

    const alarm = new Topic(this, 'Alarm', { displayName: 'Reports that failed' });
    report.onFailure('Failed', { target: new SnsTopic(alarm) });
  }
}

new HourlyStack(new App(), 'Hourly');
