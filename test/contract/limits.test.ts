import { allowedMarkets, checkWithinLimits, defaultsWithin, isAllowedType, parseScaffold, problemsOfLimits } from '../../lib/contract';
import type { Limits } from '../../lib/contract';
import { World } from '../fakes/world';

describe('limits of a scaffolding', () => {
  test.each([
    ['m7i.*', 'm7i.large', true],
    ['m7i.*', 'm7i-flex.large', false],
    ['c?i.large', 'c7i.large', true],
    ['c?i.large', 'c7i.xlarge', false],
    ['*', 'p5.48xlarge', true],
  ])('the pattern %s and the type %s: %s, as StringLike of IAM', (pattern, vmType, fits) => {
    expect(isAllowedType({ vmTypes: [pattern] }, vmType)).toBe(fits);
  });

  test('leave the defaults of a job as near to 24 hours on demand as they allow', () => {
    expect(defaultsWithin({})).toEqual({ lifetimeS: 86_400, spotPolicy: 'on-demand' });
    expect(defaultsWithin({ lifetimeS: 3_600, spotPolicies: ['spot'] })).toEqual({ lifetimeS: 3_600, spotPolicy: 'spot' });
    expect(defaultsWithin({ lifetimeS: 30 * 86_400, spotPolicies: ['spot', 'on-demand'] })).toEqual({
      lifetimeS: 86_400,
      spotPolicy: 'on-demand',
    });
  });

  test('are markets for IAM only where one of the two is out', () => {
    expect(allowedMarkets({})).toBeUndefined();
    expect(allowedMarkets({ spotPolicies: ['spot'] })).toEqual(['spot']);
    expect(allowedMarkets({ spotPolicies: ['on-demand'] })).toEqual(['on-demand']);
    expect(allowedMarkets({ spotPolicies: ['on-demand', 'spot'] })).toBeUndefined();
    expect(allowedMarkets({ spotPolicies: ['spot_with_fallback'] })).toBeUndefined();
  });

  test('fail a job with all that is not allowed, and with what is', () => {
    const limits: Limits = { lifetimeS: 3_600, vmTypes: ['m7i.*', 'c7i.*'], spotPolicies: ['spot'] };
    const asked = { lifetimeS: 7_200, spotPolicy: 'on-demand', vmTypes: ['p5.48xlarge'] } as const;
    expect(() => checkWithinLimits({ name: 'team-a', limits }, asked)).toThrow(
      expect.objectContaining({
        code: 'E_NOT_ALLOWED',
        message:
          "scaffolding 'team-a' does not allow this: a lifetime of 2 h is too long; allowed are up to 1 h; " +
          'spot policy on-demand is not allowed; allowed is spot; VM type p5.48xlarge is not allowed; allowed are m7i.*, c7i.*',
      }),
    );
    expect(() => checkWithinLimits({ name: 'team-a' }, asked)).not.toThrow();
  });

  test.each<[string, Limits, RegExp]>([
    ['a lifetime of a second', { lifetimeS: 1 }, /60 s to 30 days/],
    ['no VMs', { vms: 0 }, /whole numbers from 1/],
    ['half a VM', { vms: 1.5 }, /whole numbers from 1/],
    ['no type', { vmTypes: [] }, /no VM could be launched/],
    ['what is no pattern', { vmTypes: ['M7i large'] }, /'M7i large' is not a pattern/],
    ['no spot policy', { spotPolicies: [] }, /name at least one/],
  ])('fail with %s', (_what, limits, message) => {
    expect(problemsOfLimits(limits).join()).toMatch(message);
  });

  test('need not be in the parameter: those of before still read', () => {
    const { scaffold } = new World().deps();
    expect(parseScaffold(JSON.stringify(scaffold))).toEqual(scaffold);
    expect(parseScaffold(JSON.stringify({ ...scaffold, limits: { vms: 3 } })).limits).toEqual({ vms: 3 });
  });
});
