import { App } from 'aws-cdk-lib';
import { OrdersStack } from '../lib/orders-stack';
import { ReportsStack } from '../lib/reports-stack';

const app = new App();
const orders = new OrdersStack(app, 'Orders');
new ReportsStack(app, 'Reports', { table: orders.table });
