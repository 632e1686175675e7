import { deviates } from './contract-tests';
import type { Deviation } from './contract-tests';

const KNOWN: Deviation = { place: 'moto', suite: 'EC2', test: 'holds its word', shows: /got 2/, reason: 'it cannot count' };

describe('a test that is known to fail', () => {
  test('may fail as it is known to, whatever the colours of the message', async () => {
    await deviates(() => Promise.reject(new Error('expected 1, \u001b[31mgot\u001b[39m 2')), KNOWN);
  });

  test('fails when it fails otherwise, with that failure', async () => {
    const other = new Error('connection refused');
    await expect(deviates(() => Promise.reject(other), KNOWN)).rejects.toBe(other);
  });

  test('fails when it no longer fails, and says what to do', async () => {
    await expect(deviates(() => Promise.resolve(), KNOWN)).rejects.toThrow("moto no longer deviates: take 'holds its word' off the list");
  });
});
