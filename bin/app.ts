import { App, Stack } from 'aws-cdk-lib';
import { RawCloud } from '../lib';

/*
 * The CDK app behind `cdk deploy`: one stack with the scaffolding, for the account and region of the caller.
 * `-c name=<name>` gives the scaffolding another name than `default`. The functions' code are assets: the account needs
 * `cdk bootstrap` once.
 */
const app = new App();
const name: unknown = app.node.tryGetContext('name');
const stackName = typeof name === 'string' ? `RawCloud-${name}` : 'RawCloud';
const stack = new Stack(app, stackName, {
  description: 'rawcloud: the scaffolding for jobs on VMs of their own',
});
new RawCloud(stack, 'RawCloud', typeof name === 'string' ? { name } : {});
