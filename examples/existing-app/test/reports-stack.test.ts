import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { OrdersStack } from '../lib/orders-stack';
import { ReportsStack } from '../lib/reports-stack';

let template: Template;
beforeAll(() => {
  const app = new App();
  const orders = new OrdersStack(app, 'Orders');
  template = Template.fromStack(new ReportsStack(app, 'Reports', { table: orders.table }));
});

test('runs at half past three in Zurich, whatever the season', () => {
  template.hasResourceProperties('AWS::Scheduler::Schedule', {
    ScheduleExpression: 'cron(30 3 * * ? *)',
    ScheduleExpressionTimezone: 'Europe/Zurich',
    State: 'ENABLED',
  });
});

test('may read the table of the service, and not write it', () => {
  const policies = Object.values(template.findResources('AWS::IAM::Policy'));
  const actions = JSON.stringify(policies).match(/dynamodb:\w+/g) ?? [];
  expect(actions).toContain('dynamodb:GetItem');
  expect(actions.filter((action) => /Put|Update|Delete|Write/.test(action))).toEqual([]);
});

test('knows the table by its name', () => {
  template.hasResourceProperties('AWS::SSM::Parameter', {
    Name: Match.stringLikeRegexp('^/rawcloud/reports/jobs/'),
    Value: Match.objectLike({ 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('"TABLE"')])] }),
  });
});
