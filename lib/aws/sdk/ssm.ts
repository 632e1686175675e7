/** What we use of Systems Manager, imported only when it is called. */
export { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
