import type { Credentials } from '../contract';
import type { AwsContext } from './clients';
import { wording } from './errors';

/** Who a caller is for AWS. */
export interface Caller {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
}

/** @throws E_NO_CREDENTIALS, E_CREDENTIALS_EXPIRED … */
export async function whoAmI(context: AwsContext): Promise<Caller> {
  return wording('sts:GetCallerIdentity', async () => {
    const { GetCallerIdentityCommand } = await import('./sdk/sts.js');
    const found = await (await context.sts()).send(new GetCallerIdentityCommand({}));
    return { account: found.Account ?? '', arn: found.Arn ?? '', userId: found.UserId ?? '' };
  });
}

/** Life of a session made from long-term keys. STS allows 15 minutes to 36 hours (API reference, GetSessionToken). */
const SESSION_S = 12 * 3600;

/**
 * The caller's identity as temporary credentials that a job can hold: long-term keys are exchanged for a session,
 * a session (SSO, role) is handed on as it is, since STS refuses to make one from another.
 */
export async function forwardableCredentials(context: AwsContext, durationS = SESSION_S): Promise<Credentials> {
  const own = await wording('finding AWS credentials', () => context.credentials());
  if (own.sessionToken) return own;
  return wording('sts:GetSessionToken', async () => {
    const { GetSessionTokenCommand } = await import('./sdk/sts.js');
    const { Credentials: made } = await (await context.sts()).send(new GetSessionTokenCommand({ DurationSeconds: durationS }));
    return {
      accessKeyId: made?.AccessKeyId ?? '',
      secretAccessKey: made?.SecretAccessKey ?? '',
      sessionToken: made?.SessionToken ?? '',
      ...(made?.Expiration ? { expiresAt: made.Expiration.toISOString() } : {}),
    };
  });
}
