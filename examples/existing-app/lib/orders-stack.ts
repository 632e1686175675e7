import { Stack } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';

/** What was there before: a service with its table. */
export class OrdersStack extends Stack {
  readonly table: Table;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.table = new Table(this, 'Table', { partitionKey: { name: 'id', type: AttributeType.STRING } });
  }
}
