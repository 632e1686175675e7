import { normalizeRequest } from '../../lib/runtime/request';
import type { RunRequest } from '../../lib/runtime';
import { sortVariables } from '../../lib/runtime/variables';

const normal = (request: Partial<RunRequest>) => normalizeRequest({ command: ['true'], ...request }, '/here');

describe('a run request', () => {
  test('gets the defaults of the first day', () => {
    expect(normal({})).toEqual({
      command: ['true'],
      cwd: '/here',
      cpu: { min: 2 },
      memoryGiB: { min: 8 },
      packageChoices: {},
      spotPolicy: 'on-demand',
      diskGiB: 30,
      variables: {},
      lifetimeS: 86_400,
      retries: 0,
      secretVariables: {},
      logins: [],
      tags: {},
      credentials: 'forward',
      cache: 'use',
      setup: [],
      uploads: [],
      keep: [],
      root: false,
    });
  });

  test('gets defaults that the scaffolding allows', () => {
    const within = normalizeRequest({ command: ['true'] }, '/here', { lifetimeS: 7_200, spotPolicies: ['spot'] });
    expect(within).toMatchObject({ lifetimeS: 7_200, spotPolicy: 'spot' });
  });

  test('asks for balanced memory when only vCPUs are given', () => {
    expect(normal({ cpu: { min: 16 } }).memoryGiB).toEqual({ min: 64 });
  });

  test.each<[string, Partial<RunRequest>, RegExp]>([
    ['no command', { command: [] }, /no command/],
    ['an empty setup command', { setup: ['true', ' '] }, /setup command 2 is empty/],
    ['no time for a setup', { setup: ['true'], setupTimeoutS: 0 }, /setup timeout of 0 s must be greater than zero/],
    ['time for no setup', { setupTimeoutS: 60 }, /setup timeout of 60 s has no setup that it could end/],
    ['a password in a setup', { setup: ['git clone https://me:pass@example.com/x'] }, /setup command 1 holds a password in a URL/],
    ['a bad name', { name: 'a b' }, /name 'a b'/],
    ['an empty range', { cpu: { min: 8, max: 2 } }, /lower bound/],
    ['types and families at once', { vmTypes: ['m7i.large'], families: ['c'] }, /exclude each other/],
    ['a tiny disk', { diskGiB: 1 }, /8 to 65536/],
    ['a lifetime of a second', { lifetimeS: 1 }, /60 s to 30 days/],
    ['a reserved tag', { tags: { 'aws:x': 'y' } }, /reserved/],
    ['a tag of ours', { tags: { 'rawcloud:job': 'y' } }, /reserved/],
    ['a bad variable name', { variables: { 'A-B': '1' } }, /'A-B'/],
    ['a bad image', { image: 'ubuntu' }, /AMI id/],
  ])('fails on %s', (_what, request, message) => {
    expect(() => normal(request)).toThrow(message);
  });

  test('fails with every problem at once', () => {
    expect(() => normal({ command: [], diskGiB: 1, name: '?' })).toThrow(/3 problems/);
  });

  test('fails on a member it does not know, by name', () => {
    const request = { command: ['true'], gpu: 'T4' } as RunRequest;
    expect(() => normalizeRequest(request, '/here')).toThrow(/'gpu'/);
  });
});

describe('variables', () => {
  test('are secret unless they are known to be harmless', () => {
    expect(sortVariables({ TZ: 'UTC', TOKEN: 's', DB: 's' })).toEqual({ harmless: { TZ: 'UTC' }, secret: { TOKEN: 's', DB: 's' } });
  });
});
