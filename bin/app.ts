import { App, Stack } from 'aws-cdk-lib';
import { RawCloud } from '../lib';
import { DEFAULT_SCAFFOLD_NAME, SCAFFOLD_CONSTRUCT_ID, SCAFFOLD_STACK_DESCRIPTION, scaffoldStackName } from '../lib/contract';

/*
 * The CDK app behind `cdk deploy`: one stack with the scaffolding, for the account and region of the caller.
 * `-c name=<name>` gives the scaffolding another name than `default`. The functions' code are assets: the account needs
 * `cdk bootstrap` once.
 */
const app = new App();
const name: unknown = app.node.tryGetContext('name');
const stackName = scaffoldStackName(typeof name === 'string' ? name : DEFAULT_SCAFFOLD_NAME);
const stack = new Stack(app, stackName, { description: SCAFFOLD_STACK_DESCRIPTION });
new RawCloud(stack, SCAFFOLD_CONSTRUCT_ID, typeof name === 'string' ? { name } : {});
