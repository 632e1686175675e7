import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { RawCloud } from 'rawcloud';

/** What one team needs to run jobs, and the role that its people take. */
class TeamStack extends Stack {
  constructor(scope, id, { team, ...cloud }) {
    super(scope, id);
    const scaffolding = new RawCloud(this, 'RawCloud', { name: team, ...cloud });
    const people = new Role(this, 'People', {
      roleName: `rawcloud-${team}`,
      description: `Runs jobs as the team ${team}, and nobody else's`,
      assumedBy: new AccountPrincipal(this.account),
    });
    scaffolding.grantRun(people);
  }
}

const app = new App();
new TeamStack(app, 'Data', { team: 'data' });
new TeamStack(app, 'Research', { team: 'research' });
// Thrown away with all that its jobs left: its bucket must be empty by then.
new TeamStack(app, 'Sandbox', { team: 'sandbox', removalPolicy: RemovalPolicy.DESTROY, logRetention: RetentionDays.ONE_WEEK });
