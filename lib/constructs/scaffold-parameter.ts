import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { scaffoldParameterName } from '../contract';
import type { Scaffold } from '../contract';

/**
 * The parameter by which the runtime finds everything else. Its value is made by JSON.stringify over tokens and
 * not by Stack.toJsonString: what the tokens stand for are identifiers that need no escaping, and a list of
 * unknown length inside toJsonString would need a custom resource.
 */
export function createScaffoldParameter(scope: Construct, scaffold: Scaffold): StringParameter {
  return new StringParameter(scope, 'Scaffold', {
    parameterName: scaffoldParameterName(scaffold.name),
    description: 'rawcloud: where its scaffolding is',
    stringValue: JSON.stringify(scaffold),
  });
}
