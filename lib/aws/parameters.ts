import type { AwsContext } from './clients';
import { classify, toRawcloudError } from './errors';

/** Value of an SSM parameter; undefined when there is none of that name. */
export async function readParameter(context: AwsContext, name: string): Promise<string | undefined> {
  try {
    const { GetParameterCommand } = await import('./sdk/ssm.js');
    const found = await (await context.ssm()).send(new GetParameterCommand({ Name: name }));
    return found.Parameter?.Value;
  } catch (error) {
    if (classify(error).awsCode === 'ParameterNotFound') return undefined;
    throw toRawcloudError(error, 'ssm:GetParameter');
  }
}
