import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type { AwsContext } from '../../lib/aws/clients';
import { createS3Store } from '../../lib/aws/s3-store';
import { createWireStore } from '../../lib/aws/wire-store';
import { systemClock } from '../../lib/contract';
import type { Credentials } from '../../lib/contract';
import type { Place } from './contract-tests';
import { describeStore } from './store-suite';

/** A bucket behind some endpoint; known only when the tests run. */
export interface S3Place {
  readonly aws: AwsContext;
  readonly endpoint: string;
  readonly bucket: string;
  readonly account: string;
  readonly credentials: Credentials;
}

/** The store's promises, kept by both ways to the same bucket. */
export function describeS3Stores(place: Place, at: () => S3Place): void {
  const unfinished = async (Prefix: string): Promise<string[]> => {
    const { aws, bucket: Bucket } = at();
    const { Uploads = [] } = await (await aws.s3()).send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
    return Uploads.map((upload) => upload.UploadId ?? '');
  };

  describeStore({
    title: 'the S3 store of clients',
    place,
    open: () => Promise.resolve(createS3Store(at().aws, at())),
    unfinished,
  });

  const wires: { close(): void }[] = [];
  afterAll(() => wires.forEach((wire) => wire.close()));
  describeStore({
    title: 'the S3 store of agents',
    place,
    open: () => {
      const { aws, bucket, endpoint, credentials } = at();
      const credentialsNow = () => Promise.resolve(credentials);
      const wire = createWireStore({ region: aws.region, bucket, endpoint, credentials: credentialsNow, clock: systemClock });
      wires.push(wire);
      return Promise.resolve(wire);
    },
    canList: false,
    unfinished,
  });
}
