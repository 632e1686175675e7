import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { RawCloud } from 'rawcloud';

/** All that an account needs for `rawcloud run …`. */
class ScaffoldingStack extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const cloud = new RawCloud(this, 'RawCloud');
    new CfnOutput(this, 'Bucket', { value: cloud.bucket.bucketName, description: 'Logs, results and ledger of the jobs' });
  }
}

new ScaffoldingStack(new App(), 'RawCloud');
