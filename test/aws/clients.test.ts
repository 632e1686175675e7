import { openAws } from '../../lib/aws/clients';

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAGIVEN', AWS_SECRET_ACCESS_KEY: 'given', AWS_REGION: 'eu-west-1' };

describe('the environment that a caller gives', () => {
  test('tells region and credentials, whatever the process has', async () => {
    const context = await openAws({ env: { ...KEYS, AWS_SESSION_TOKEN: 'token', AWS_CREDENTIAL_EXPIRATION: '2026-11-23T12:00:00Z' } });
    expect(context.region).toBe('eu-west-1');
    expect(await context.credentials()).toEqual({
      accessKeyId: 'AKIAGIVEN',
      secretAccessKey: 'given',
      sessionToken: 'token',
      expiresAt: '2026-11-23T12:00:00Z',
    });
    expect(await (await context.s3()).config.credentials()).toMatchObject({ accessKeyId: 'AKIAGIVEN', sessionToken: 'token' });
    context.close();
  });

  test('gives way to credentials and a region that are given themselves', async () => {
    const context = await openAws({ env: KEYS, region: 'us-east-2', credentials: { accessKeyId: 'AKIAOTHER', secretAccessKey: 'other' } });
    expect(context.region).toBe('us-east-2');
    expect(await context.credentials()).toMatchObject({ accessKeyId: 'AKIAOTHER' });
    context.close();
  });

  test('with half a key is not believed', async () => {
    const context = await openAws({ env: { AWS_ACCESS_KEY_ID: 'AKIAGIVEN', AWS_REGION: 'eu-west-1', AWS_PROFILE: 'nobody-has-this' } });
    await expect(context.credentials()).rejects.toThrow();
    context.close();
  });
});
