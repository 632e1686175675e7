import path from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { BlockPublicAccess, Bucket } from 'aws-cdk-lib/aws-s3';
import { EventJob, JobTarget, RawCloud, SpotPolicy } from 'rawcloud';

/** Unpacks and counts what arrives under `in/` of a bucket, and leaves the result under `out/`. */
class ArrivalsStack extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const cloud = new RawCloud(this, 'RawCloud', { name: 'arrivals' });
    const bucket = new Bucket(this, 'Data', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      eventBridgeEnabled: true,
    });

    const job = new EventJob(this, 'Count', {
      cloud,
      source: path.join(import.meta.dirname, 'job'),
      command: ['node', 'count.mjs'],
      spotPolicy: SpotPolicy.SPOT_WITH_FALLBACK,
      timeout: Duration.hours(1),
    });
    bucket.grantReadWrite(job);

    new Rule(this, 'Arrived', {
      // What the job writes lies elsewhere: else it would start itself.
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [bucket.bucketName] }, object: { key: [{ prefix: 'in/' }] } },
      },
      targets: [new JobTarget(job)],
    });
  }
}

new ArrivalsStack(new App(), 'Arrivals');
