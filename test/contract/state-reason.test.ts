import { stateReasonCode, stateReasonRemedy, stateReasonText } from '../../lib/contract';

test.each([
  ['Client.VolumeLimitExceeded: Volume limit exceeded', 'Client.VolumeLimitExceeded', /EBS storage/],
  ['Client.InternalError: Client error on launch', 'Client.InternalError', /kms:CreateGrant/],
  ['Client.InvalidSnapshot.NotFound: The snapshot was not found', 'Client.InvalidSnapshot.NotFound', /another --image/],
  ['Server.InsufficientInstanceCapacity: Insufficient capacity', 'Server.InsufficientInstanceCapacity', /Run it again/],
  ['Server.SpotInstanceTermination: Spot Instance terminated', 'Server.SpotInstanceTermination', /on demand/],
])('%s is told apart, with what to do about it', (text, code, remedy) => {
  expect(stateReasonCode(text)).toBe(code);
  expect(stateReasonRemedy(text)).toMatch(remedy);
});

test('an ordinary end, or none, has no remedy', () => {
  expect(stateReasonRemedy('Client.InstanceInitiatedShutdown: Instance initiated shutdown')).toBeUndefined();
  expect(stateReasonRemedy('constructor')).toBeUndefined();
  expect(stateReasonRemedy(undefined)).toBeUndefined();
});

test('code and message become one text, the code once', () => {
  expect(stateReasonText('Client.InternalError', 'Client.InternalError: no')).toBe('Client.InternalError: no');
  expect(stateReasonText('Client.InternalError', 'Client error on launch')).toBe('Client.InternalError: Client error on launch');
  expect(stateReasonText('Client.InternalError', undefined)).toBe('Client.InternalError');
});
