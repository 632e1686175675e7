import { CdkApp } from './cdk';

/** Once before all tests of ring 2: the account gets its scaffolding, as an administrator's does. It ends with the server. */
export default async function setUp(): Promise<void> {
  await CdkApp.bootstrap();
  const app = await CdkApp.synthesize('default');
  try {
    await app.deploy();
  } finally {
    await app.close();
  }
}
