import { Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { RawCloud } from 'rawcloud';
import { NightlyReport } from './nightly-report';

export interface ReportsStackProps {
  /** Of another stack of the app. */
  readonly table: ITable;
}

/** What is new. A stack of its own: the service is deployed, and rolled back, without it. */
export class ReportsStack extends Stack {
  constructor(scope: Construct, id: string, { table }: ReportsStackProps) {
    super(scope, id);
    const cloud = new RawCloud(this, 'RawCloud', { name: 'reports' });
    new NightlyReport(this, 'Nightly', { cloud, table });
  }
}
