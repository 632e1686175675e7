import type { AwsContext } from './clients';
import { classify, toRawcloudError } from './errors';

/** Value of an SSM parameter; undefined when there is none of that name. */
export async function readParameter(context: AwsContext, name: string, abortSignal?: AbortSignal): Promise<string | undefined> {
  try {
    const { GetParameterCommand } = await import('./sdk/ssm.js');
    const found = await (await context.ssm()).send(new GetParameterCommand({ Name: name }), { abortSignal });
    return found.Parameter?.Value;
  } catch (error) {
    if (classify(error).awsCode === 'ParameterNotFound') return undefined;
    throw toRawcloudError(error, 'ssm:GetParameter');
  }
}

/** Values of all SSM parameters right below a path, in no particular order. */
export async function readParameters(context: AwsContext, path: string, signal?: AbortSignal): Promise<string[]> {
  try {
    const { GetParametersByPathCommand } = await import('./sdk/ssm.js');
    const ssm = await context.ssm();
    const values: string[] = [];
    let NextToken: string | undefined;
    do {
      const input = { Path: path, MaxResults: 10, ...(NextToken ? { NextToken } : {}) };
      const page = await ssm.send(new GetParametersByPathCommand(input), { abortSignal: signal });
      values.push(...(page.Parameters ?? []).flatMap(({ Value }) => Value ?? []));
      NextToken = page.NextToken;
    } while (NextToken);
    return values;
  } catch (error) {
    throw toRawcloudError(error, 'ssm:GetParametersByPath');
  }
}
