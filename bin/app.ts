import { App, Stack } from 'aws-cdk-lib';
import { RawCloud } from '../lib';
import { propsOfChoices } from '../lib/constructs';
import {
  CHOICES_CONTEXT,
  choicesMetadata,
  DEFAULT_SCAFFOLD_NAME,
  parseChoices,
  SCAFFOLD_CONSTRUCT_ID,
  SCAFFOLD_STACK_DESCRIPTION,
  scaffoldStackName,
} from '../lib/contract';

/*
 * The CDK app behind `rawcloud deploy` and `cdk deploy`: one stack with the scaffolding, for the account and region of the caller.
 * `-c name=<name>` gives the scaffolding another name than `default`; `-c choices=<JSON>` is what the options of `rawcloud deploy`
 * become, and stands in the template's metadata. The functions' code are assets: the account needs `cdk bootstrap` once.
 *
 * The template is the same whoever deploys it: what the CLI would decide is decided here.
 */
const app = new App({
  analyticsReporting: false,
  postCliContext: { 'aws:cdk:enable-path-metadata': true, 'aws:cdk:enable-asset-metadata': true },
});
const asked: unknown = app.node.tryGetContext('name');
const chosen: unknown = app.node.tryGetContext(CHOICES_CONTEXT);
const name = typeof asked === 'string' ? asked : DEFAULT_SCAFFOLD_NAME;
const choices = typeof chosen === 'string' ? parseChoices(chosen) : {};
const stack = new Stack(app, scaffoldStackName(name), { description: SCAFFOLD_STACK_DESCRIPTION });
const metadata = choicesMetadata(choices);
if (metadata) stack.templateOptions.metadata = metadata;
new RawCloud(stack, SCAFFOLD_CONSTRUCT_ID, { name, ...propsOfChoices(stack, choices) });
