import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type { AwsContext } from '../../lib/aws/clients';
import { createS3Store } from '../../lib/aws/s3-store';
import { createWireStore } from '../../lib/aws/wire-store';
import { systemClock } from '../../lib/contract';
import type { Credentials, Store } from '../../lib/contract';
import { describeContract } from './contract-tests';
import type { Place } from './contract-tests';
import { DEVIATIONS } from './deviations';
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
  const openWire = ({ aws, bucket, endpoint, credentials }: S3Place): Store => {
    const now = () => Promise.resolve(credentials);
    const wire = createWireStore({ region: aws.region, bucket, endpoint, credentials: now, clock: systemClock });
    wires.push(wire);
    return wire;
  };
  describeStore({
    title: 'the S3 store of agents',
    place,
    open: () => Promise.resolve(openWire(at())),
    canList: false,
    unfinished,
  });

  describeContract({ suite: 'a bucket that is not ours', place }, DEVIATIONS, ({ each }) => {
    each<(store: Store) => Promise<unknown>>('fails for clients when it belongs to somebody else: %s', CALLS, async (call) => {
      const store = createS3Store(at().aws, { bucket: at().bucket, account: '999999999999' });
      await expect(call(store)).rejects.toMatchObject({ code: 'E_PERMISSION' });
    });

    each<(store: Store) => Promise<unknown>>('fails for clients when it is not there: %s', CALLS, async (call) => {
      const store = createS3Store(at().aws, { bucket: NOWHERE });
      await expect(call(store)).rejects.toMatchObject({ code: 'E_AWS_REQUEST', data: { awsCode: 'NoSuchBucket' } });
    });

    each<(store: Store) => Promise<unknown>>('fails for agents when it is not there: %s', AGENT_CALLS, async (call) => {
      const store = openWire({ ...at(), bucket: NOWHERE });
      await expect(call(store)).rejects.toMatchObject({ code: 'E_AWS_REQUEST', data: { awsCode: 'NoSuchBucket' } });
    });
  });
}

const NOWHERE = 'rawcloud-nowhere-to-be-found';
const KEY = 'v1/files/x';
/** Which nobody writes, where a place lets us. */
const UNWRITTEN = 'v1/files/y';

/** Whatever an agent may ask of a store. */
const AGENT_CALLS = {
  reading: (store: Store) => store.get(UNWRITTEN),
  writing: (store: Store) => store.put(KEY, Buffer.from('x')),
  'writing first': (store: Store) => store.put(KEY, Buffer.from('x'), { if: 'absent' }),
  swapping: (store: Store) => store.put(KEY, Buffer.from('x'), { if: { etag: '"0123456789abcdef0123456789abcdef"' } }),
  deleting: (store: Store) => store.delete(KEY),
  'streaming in': (store: Store) => store.putStream(KEY, chunks(Buffer.alloc(9 * 2 ** 20))),
  'streaming out': (store: Store) => drained(store.getStream(UNWRITTEN)),
};

const CALLS = { ...AGENT_CALLS, listing: (store: Store) => drained(store.list('v1/')) };

async function* chunks(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}

async function drained(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
