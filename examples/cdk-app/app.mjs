import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { RawCloud } from 'rawcloud';

/** A stack of yours that lets a team run jobs: `rawcloud run --scaffold team-a …`. */
class TeamStack extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const cloud = new RawCloud(this, 'RawCloud', { name: 'team-a' });
    new CfnOutput(this, 'Bucket', { value: cloud.bucket.bucketName, description: 'Logs, results and ledger of the jobs' });
  }
}

new TeamStack(new App(), 'TeamA');
