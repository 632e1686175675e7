import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { OwnVpcStack } from '../stack.mjs';

const template = Template.fromStack(new OwnVpcStack(new App(), 'OwnVpc', { s3PrefixListId: 'pl-1' }));

test('has no way to the internet, and one to S3 that costs nothing', () => {
  for (const type of ['InternetGateway', 'NatGateway', 'EIP']) template.resourceCountIs(`AWS::EC2::${type}`, 0);
  template.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
});

test('launches VMs in its private subnets, one for each zone, with its security group', () => {
  const [parameter] = Object.values(template.findResources('AWS::SSM::Parameter'));
  const value = JSON.stringify(parameter.Properties.Value);
  for (const n of [1, 2]) assert.match(value, new RegExp(`VpcJobsSubnet${n}`));
  assert.match(value, /\\"public\\":false/);
  template.hasResourceProperties('AWS::EC2::LaunchTemplate', {
    LaunchTemplateData: Match.objectLike({ SecurityGroupIds: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('^Vms'), 'GroupId'] }] }),
  });
});

test('lets VMs out to S3 and to the database, and nothing in', () => {
  template.hasResourceProperties('AWS::EC2::SecurityGroup', {
    GroupDescription: 'VMs of jobs: nothing in, only S3 out',
    SecurityGroupIngress: Match.absent(),
  });
  template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
    FromPort: 5432,
    GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Database'), 'GroupId'] },
  });
  template.hasResourceProperties('AWS::EC2::SecurityGroupEgress', {
    FromPort: 5432,
    GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Vms'), 'GroupId'] },
  });
});
