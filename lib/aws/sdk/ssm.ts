/** What we use of Systems Manager, imported only when it is called. */
export { GetParameterCommand, GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
