/** What we use of STS, imported only when it is called. */
export { GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
