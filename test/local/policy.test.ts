import * as fc from 'fast-check';
import { anyVmOf, bucketStatements, type PolicyStatement, vmRoleStatements } from '../../lib/contract';
import { evaluate, Policies } from '../../lib/local/policy';
import type { Conditions } from '../../lib/local/policy';
import type { Principal } from '../../lib/local/service';

const ARN = 'arn:aws:s3:::b';
const VM: Principal = { accessKeyId: 'ASIA', account: '1', arn: 'arn:vm', userId: 'AROA1:i-1', kind: 'vm' };
const allow = (more: Partial<PolicyStatement>): PolicyStatement => ({ Sid: 's', Effect: 'Allow', Action: '*', Resource: '*', ...more });
const ask = (
  action: string,
  resource = `${ARN}/k`,
  context: Record<string, string> = { 'aws:userid': 'AROA1:i-1' },
): Parameters<typeof evaluate>[1] => ({ action, resource, context });

test.each([
  ['s3:GetObject', 's3:GetObject', 'allowed'],
  ['s3:getobject', 's3:GetObject', 'allowed'],
  ['s3:Get*', 's3:GetObject', 'allowed'],
  ['s3:Get*', 's3:PutObject', 'silent'],
  ['s3:GetObjec?', 's3:GetObject', 'allowed'],
  ['*', 'ec2:RunInstances', 'allowed'],
])('action %s makes %s %s', (Action, action, verdict) => {
  expect(evaluate([allow({ Action })], ask(action))).toBe(verdict);
});

test('resources are compared with their case, and a star spans slashes', () => {
  expect(evaluate([allow({ Resource: `${ARN}/a/*` })], ask('x', `${ARN}/a/b/c`))).toBe('allowed');
  expect(evaluate([allow({ Resource: `${ARN}/a/*` })], ask('x', `${ARN}/A/b`))).toBe('silent');
});

test('a deny wins in any order', () => {
  const both = [allow({}), allow({ Effect: 'Deny' })];
  expect(evaluate(both, ask('x'))).toBe('denied');
  expect(evaluate(both.reverse(), ask('x'))).toBe('denied');
});

test.each<[string, string, string, boolean]>([
  ['StringEquals', 'AROA1:i-1', 'AROA1:i-1', true],
  ['StringEquals', 'AROA1:*', 'AROA1:i-1', false],
  ['StringNotEquals', 'AROA1:i-1', 'AROA1:i-1', false],
  ['StringLike', 'AROA1:*', 'AROA1:i-1', true],
  ['StringLike', 'AROA2:*', 'AROA1:i-1', false],
  ['StringNotLike', 'AROA1:*', 'AROA1:i-1', false],
  ['StringNotLike', 'AROA2:*', 'AROA1:i-1', true],
  ['StringEquals', '${aws:userid}', 'AROA1:i-1', true],
])('%s %s holds of %s: %s', (operator, wanted, userid, holds) => {
  const statement = allow({ Condition: { [operator]: { 'aws:UserId': wanted } } });
  expect(evaluate([statement], ask('x', 'r', { 'aws:userid': userid }))).toBe(holds ? 'allowed' : 'silent');
});

test('a missing key fails the positive operators and satisfies the negated ones', () => {
  const verdict = (operator: string, value: string): string =>
    evaluate([allow({ Condition: { [operator]: { 'aws:x': value } } })], ask('x', 'r', {}));
  expect(['StringEquals', 'StringLike', 'Bool'].map((o) => verdict(o, 'true'))).toEqual(['silent', 'silent', 'silent']);
  expect(['StringNotEquals', 'StringNotLike'].map((o) => verdict(o, 'true'))).toEqual(['allowed', 'allowed']);
});

test('Bool compares true and false', () => {
  const statement = allow({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
  expect(evaluate([statement], ask('x', 'r', { 'aws:securetransport': 'false' }))).toBe('denied');
  expect(evaluate([statement], ask('x', 'r', { 'aws:securetransport': 'true' }))).toBe('silent');
});

test('ForAllValues holds of all values, and of none; Null tells none apart', () => {
  const keys = (value?: string[]): Parameters<typeof evaluate>[1] => {
    const context: Conditions = value === undefined ? {} : { 'aws:tagkeys': value };
    return { action: 'x', resource: 'r', context };
  };
  const forAll = allow({ Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } } });
  expect([['a'], ['a', 'b'], ['a', 'c'], undefined].map((value) => evaluate([forAll], keys(value)))).toEqual([
    'allowed',
    'allowed',
    'silent',
    'allowed',
  ]);
  const some = allow({ Condition: { Null: { 'aws:TagKeys': 'false' } } });
  expect([['a'], undefined].map((value) => evaluate([some], keys(value)))).toEqual(['allowed', 'silent']);
});

test('IfExists holds where the key is missing, and else as the operator does', () => {
  const statement = allow({ Condition: { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } } });
  const verdict = (context: Record<string, string>): string => evaluate([statement], ask('x', 'r', context));
  const key = 'ssm:sessiondocumentaccesscheck';
  expect([verdict({}), verdict({ [key]: 'true' }), verdict({ [key]: 'false' })]).toEqual(['allowed', 'allowed', 'silent']);
});

test('a key with several values fits no operator that is made for one', () => {
  const statement = allow({ Condition: { StringEquals: { 'events:source': 'a' } } });
  expect(evaluate([statement], { action: 'x', resource: 'r', context: { 'events:source': ['a'] } })).toBe('silent');
});

test.each([
  ['arn:aws:ec2:r:1:launch-template/lt-1', 'arn:aws:ec2:r:1:launch-template/lt-1', true],
  ['arn:aws:ec2:r:1:launch-template/*', 'arn:aws:ec2:r:1:launch-template/lt-1', true],
  ['arn:aws:ec2:*:launch-template/lt-1', 'arn:aws:ec2:r:1:launch-template/lt-1', false],
  ['arn:aws:ec2:r:1:launch-template/lt-1', 'arn:aws:ec2:r:1:launch-template/lt-2', false],
])('ArnEquals %s of %s: %s, part by part', (wanted, arn, fits) => {
  const statement = allow({ Condition: { ArnEquals: { 'ec2:LaunchTemplate': wanted } } });
  expect(evaluate([statement], ask('x', 'r', { 'ec2:launchtemplate': arn }))).toBe(fits ? 'allowed' : 'silent');
});

test('tells who listens of each question, and keeps a developer to the limits that were set', () => {
  const policies = new Policies({ vmStatements: () => [] });
  const developer: Principal = { ...VM, kind: 'developer', arn: 'arn:developer' };
  const heard: unknown[] = [];
  const end = policies.listen(({ principal, action, allowed }) => heard.push([principal, action, allowed]));
  policies.refusal(developer, 's3:GetObject', `${ARN}/k`);
  policies.limitDeveloper([allow({ Action: 's3:PutObject' })]);
  policies.refusal(developer, 's3:GetObject', `${ARN}/k`);
  policies.refusal(VM, 's3:GetObject', `${ARN}/k`);
  end();
  policies.refusal(developer, 's3:PutObject', `${ARN}/k`);
  expect(heard).toEqual([
    ['arn:developer', 's3:GetObject', true],
    ['arn:developer', 's3:GetObject', false],
    ['arn:vm', 's3:GetObject', false],
  ]);
});

test('who reads and writes an encrypted bucket is asked for its key, through S3 and for that bucket', () => {
  const key = 'arn:aws:kms:r:1:key/k';
  const condition = {
    StringEquals: { 'kms:ViaService': 's3.r.amazonaws.com', 'kms:EncryptionContext:aws:s3:arn': ARN },
  };
  const statements = [allow({ Action: 's3:*' }), allow({ Action: 'kms:Decrypt', Resource: key, Condition: condition })];
  const policies = new Policies({ vmStatements: () => statements });
  policies.encryptBucket('b', key);
  expect(policies.refusal(VM, 's3:GetObject', `${ARN}/k`)).toBeUndefined();
  expect(policies.refusal(VM, 's3:DeleteObject', `${ARN}/k`)).toBeUndefined();
  expect(policies.refusal(VM, 's3:PutObject', `${ARN}/k`)).toContain(
    `not authorized to perform: kms:GenerateDataKey on resource: "${key}"`,
  );
  expect(policies.refusal(VM, 's3:PutObject', 'arn:aws:s3:::c/k')).toBeUndefined();
});

test('fails for a condition operator that it does not know', () => {
  const statement = allow({ Condition: { IpAddress: { 'aws:SourceIp': '::1' } } });
  expect(() => evaluate([statement], ask('x'))).toThrow("does not know the condition operator 'IpAddress'");
});

test('a variable stands for its value, whatever characters that holds', () => {
  const statement = allow({ Resource: `${ARN}/\${aws:userid}/*` });
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (own, other) => {
      const verdict = evaluate([statement], ask('x', `${ARN}/${other}/k`, { 'aws:userid': own }));
      expect(verdict).toBe(own === other || other.startsWith(`${own}/`) ? 'allowed' : 'silent');
    }),
  );
});

test('a variable without a value fits nothing', () => {
  expect(evaluate([allow({ Resource: `${ARN}/\${aws:userid}` })], ask('x', `${ARN}/`, {}))).toBe('silent');
});

test('a VM may do what its role says, and what no one may be told apart from it', () => {
  const policies = new Policies({
    vmStatements: () => vmRoleStatements(ARN),
    bucketStatements: () => bucketStatements(ARN, { userIds: [anyVmOf('AROA1')] }),
  });
  const refusal = (action: string, key: string): string | undefined => policies.refusal(VM, action, `${ARN}/${key}`);
  expect(refusal('s3:GetObject', 'v1/private/AROA1:i-1/grant.json')).toBeUndefined();
  expect(refusal('s3:GetObject', 'v1/private/AROA1:i-2/grant.json')).toContain('no identity-based policy');
  expect(refusal('s3:PutObject', 'v1/jobs/j-1/vm/AROA1:i-1/beat.json')).toBeUndefined();
  expect(refusal('s3:PutObject', 'v1/jobs/j-1/vm/AROA1:i-10/beat.json')).toContain('no identity-based policy');
  const stranger: Principal = { ...VM, userId: 'AROA2:i-1' };
  expect(policies.refusal(stranger, 's3:GetObject', `${ARN}/v1/private/AROA2:i-1/grant.json`)).toContain('explicit deny');
});
