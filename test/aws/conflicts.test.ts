import { openAws } from '../../lib/aws/clients';
import { createS3Store } from '../../lib/aws/s3-store';
import { createWireStore } from '../../lib/aws/wire-store';
import { systemClock } from '../../lib/contract';
import { withLocalCloud } from '../fakes/local-cloud';

test('conflicts that do not end are, for clients and agents alike, a failure that may pass', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    const { url: endpoint, region, credentials } = cloud;
    const { bucket } = cloud.scaffold;
    const aws = await openAws({ env: {}, region, endpoint, credentials });
    const agents = createWireStore({ region, bucket, endpoint, credentials: () => Promise.resolve(credentials), clock: systemClock });
    const effect = { kind: 'error', status: 409, code: 'ConditionalRequestConflict' } as const;
    for (const store of [createS3Store(aws, { bucket }), agents]) {
      cloud.faults.arm({ operation: 'PutObject', count: 50, effect });
      const put = store.put('v1/files/x', Buffer.from('x'), { if: 'absent' });
      await expect(put).rejects.toMatchObject({ code: 'E_AWS', retryable: true, data: { awsCode: 'ConditionalRequestConflict' } });
      cloud.faults.clear();
      await expect(store.put('v1/files/x', Buffer.from('x'))).resolves.toMatchObject({ etag: expect.any(String) as string });
    }
    agents.close();
    aws.close();
  });
});
