import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';

/** The bucket of the local cloud's scaffolding. */
export async function bucketOf({ url, region, credentials }) {
  const ssm = new SSMClient({ endpoint: url, region, credentials });
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: '/rawcloud/default/scaffold' }));
  ssm.destroy();
  return JSON.parse(Parameter.Value).bucket;
}
