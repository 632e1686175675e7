import { roleChanges, rolesOf } from '../../../lib/runtime/deploy/roles';

const ROLE = {
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
    },
    Policies: [{ PolicyName: 'own', PolicyDocument: { Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' } } }],
  },
};
const policy = (Action: string) => ({
  Type: 'AWS::IAM::Policy',
  Properties: {
    Roles: [{ Ref: 'Role' }],
    PolicyDocument: {
      Statement: [
        {
          Effect: 'Allow',
          Action,
          Resource: [{ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::', { 'Fn::GetAtt': ['Bucket', 'Arn'] }, '/*']] }],
          Condition: { StringEquals: { 'ec2:ResourceTag/a': ['b', 'c'] } },
        },
      ],
    },
  },
});

test('a role has the statements that are in it and those that are attached to it, as text', () => {
  expect(rolesOf({ Resources: { Role: ROLE, Policy: policy('ec2:RunInstances'), Queue: { Type: 'AWS::SQS::Queue' } } })).toEqual([
    {
      id: 'Role',
      trusted: ['lambda.amazonaws.com'],
      managed: [],
      statements: [
        { effect: 'Allow', actions: ['s3:GetObject'], resources: ['*'], conditions: [] },
        {
          effect: 'Allow',
          actions: ['ec2:RunInstances'],
          resources: ['arn:${AWS::Partition}:s3:::${Bucket.Arn}/*'],
          conditions: ['StringEquals ec2:ResourceTag/a: b, c'],
        },
      ],
    },
  ]);
});

test('of a change only the statements that differ are told', () => {
  const [before, after] = ['ec2:RunInstances', 'ec2:CreateFleet'].map((action) => ({ Resources: { Role: ROLE, Policy: policy(action) } }));
  expect(roleChanges(before!, after!)).toMatchObject([
    { id: 'Role', added: [{ actions: ['ec2:CreateFleet'] }], removed: [{ actions: ['ec2:RunInstances'] }] },
  ]);
  expect(roleChanges(before!, before!)).toEqual([]);
  expect(roleChanges({ Resources: {} }, after!)).toMatchObject([{ added: [{}, {}], removed: [] }]);
});
