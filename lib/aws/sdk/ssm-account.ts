/** What only destroy asks of Systems Manager: apart, so that functions and jobs do not carry it. */
export { DeleteParameterCommand } from '@aws-sdk/client-ssm';
