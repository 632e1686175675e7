import fc from 'fast-check';
import type { Limits, Market } from '../../lib/contract';
import { alternatives } from '../../lib/runtime/plan/alternatives';
import type { Hardware } from '../../lib/runtime/plan/hardware';
import { viewMarket, withinLimits } from '../../lib/runtime/plan/market';
import { planOffers } from '../../lib/runtime/plan/offers';

const ASKED: Hardware = { cpu: { min: 2 }, memoryGiB: { min: 8 }, arch: 'x86_64', region: 'us-east-1', zones: [], spotPolicy: 'on-demand' };
const SPOT: Market = { v: 1, region: 'us-east-1', spot: { at: 0, prices: { 'm6a.large': { 'us-east-1a': 0.03 } } } };

const ways = (hardware: Hardware, market: Market | undefined = SPOT) => {
  const view = viewMarket(hardware.region, market);
  return alternatives(hardware, planOffers(hardware, view)[0]!, view);
};

describe('other ways to run the same', () => {
  test('are only those that the scaffolding allows', () => {
    const allowed = (limits: Limits) => {
      const view = withinLimits(viewMarket('us-east-1', SPOT), limits);
      return alternatives(ASKED, planOffers(ASKED, view)[0]!, view).map((a) => a.options);
    };
    expect(allowed({ spotPolicies: ['on-demand'] }).join()).not.toMatch(/spot/);
    expect(allowed({ spotPolicies: ['on-demand', 'spot'] })[0]).toBe('--spot-policy spot');
    expect(allowed({ vmTypes: ['m6a.*'] }).join()).not.toMatch(/--arch/);
  });

  test('are spot and the other architecture, and something faster', () => {
    expect(ways(ASKED).map((a) => [a.kind, a.offer.vmType, a.options])).toEqual([
      ['cheaper', 'm6a.large', '--spot-policy spot_with_fallback'],
      ['cheaper', 'm6g.large', '--arch arm64'],
      ['faster', 'm7i.large', '--vm-type m7i.large'],
    ]);
  });

  test('leave spot out when its prices are not known, or it is asked for already', () => {
    for (const all of [ways(ASKED, { v: 1, region: 'us-east-1' }), ways({ ...ASKED, spotPolicy: 'spot' })]) {
      expect(all.some((a) => a.options.includes('spot'))).toBe(false);
    }
  });

  test('are three at most, each with the gain that it claims, whatever is asked for', () => {
    const vcpu = fc.constantFrom(1, 2, 4, 8, 16, 64);
    const asked = fc.record({ min: vcpu, gib: fc.constantFrom(2, 4, 8, 64, 128), arm: fc.boolean(), spot: fc.boolean() });
    fc.assert(
      fc.property(asked, ({ min, gib, arm, spot }) => {
        const hardware: Hardware = {
          ...ASKED,
          cpu: { min },
          memoryGiB: { min: gib },
          arch: arm ? 'arm64' : 'x86_64',
          spotPolicy: spot ? 'spot_with_fallback' : 'on-demand',
        };
        const view = viewMarket(hardware.region, SPOT);
        const chosen = planOffers(hardware, view)[0]!;
        const found = alternatives(hardware, chosen, view);
        expect(found.length).toBeLessThanOrEqual(3);
        for (const { kind, offer } of found) {
          if (kind === 'cheaper') expect(offer.usdPerHour).toBeLessThan(chosen.usdPerHour);
          else expect(offer.vcpu > chosen.vcpu || offer.vmType !== chosen.vmType).toBe(true);
        }
      }),
    );
  });
});
