/** What only `exec` asks of Systems Manager: apart, so that functions and jobs do not carry it. */
export { ResumeSessionCommand, StartSessionCommand, TerminateSessionCommand } from '@aws-sdk/client-ssm';
