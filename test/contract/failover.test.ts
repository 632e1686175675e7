import { offersAfter, quotaOf, quotaRemedy, quotaWords, refusalWords, SPOT_ROLE_MISSING } from '../../lib/contract';
import { offer } from '../fakes/records';

const spot = offer({ purchase: 'spot' });
const onDemand = offer();
const smaller = offer({ vmType: 'm7i.medium', vcpu: 1 });
const gpu = offer({ vmType: 'g6.xlarge', vcpu: 4 });

describe('after a refusal', () => {
  test('for capacity every other offer is worth a call', () => {
    expect(offersAfter({ class: 'capacity', code: 'InsufficientInstanceCapacity' }, onDemand, [spot, gpu])).toEqual([spot, gpu]);
  });

  test('for a vCPU quota only what another quota counts, or what is smaller', () => {
    expect(offersAfter({ class: 'quota', code: 'VcpuLimitExceeded' }, onDemand, [onDemand, smaller, gpu, spot])).toEqual([
      smaller,
      gpu,
      spot,
    ]);
    expect(offersAfter({ class: 'quota', code: 'MaxSpotInstanceCountExceeded' }, spot, [spot, onDemand])).toEqual([onDemand]);
  });

  test('for the missing role of spot VMs only what is bought on demand', () => {
    expect(offersAfter({ class: 'permission', code: SPOT_ROLE_MISSING }, spot, [spot, onDemand])).toEqual([onDemand]);
  });

  test('fails for good when permission, request or another quota is at fault', () => {
    expect(offersAfter({ class: 'permission', code: 'UnauthorizedOperation' }, onDemand, [spot])).toEqual([]);
    expect(offersAfter({ class: 'request', code: 'InvalidAMIID.NotFound' }, onDemand, [spot])).toEqual([]);
    expect(offersAfter({ class: 'quota', code: 'VolumeLimitExceeded' }, onDemand, [spot])).toEqual([]);
  });

  test('the reason names offer and code', () => {
    expect(refusalWords({ class: 'capacity', code: 'UnfulfillableCapacity' }, spot)).toBe(
      'spot m7i.large in us-east-1a has no capacity (UnfulfillableCapacity)',
    );
  });
});

describe('vCPU quotas', () => {
  test.each([
    ['m7i.large', 'on-demand', 'L-1216C47A'],
    ['im4gn.large', 'on-demand', 'L-1216C47A'],
    ['t4g.small', 'spot', 'L-34B43A08'],
    ['g6.xlarge', 'on-demand', 'L-DB2E81BA'],
    ['gr6.4xlarge', 'spot', 'L-3819A6DF'],
    ['inf2.xlarge', 'on-demand', 'L-1945791B'],
    ['p4d.24xlarge', 'spot', 'L-7212CCBC'],
    ['p5.48xlarge', 'spot', 'L-C4BD4855'],
    ['x2gd.large', 'on-demand', 'L-7295265B'],
    ['trn1.2xlarge', 'on-demand', 'L-2C3B7624'],
    ['u7i-12tb.224xlarge', 'spot', undefined],
    ['mac2.metal', 'on-demand', undefined],
  ] as const)('of %s bought %s is %s', (vmType, purchase, code) => {
    expect(quotaOf(vmType, purchase)?.code).toBe(code);
  });

  test('are named with value, use and the command that raises them', () => {
    const state = { quota: quotaOf('m7i.large', 'on-demand')!, value: 5, used: 4 };
    expect(quotaWords(state, 2)).toBe(
      'quota "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances" (L-1216C47A): 5 vCPU, 4 in use, 2 asked for',
    );
    expect(quotaRemedy(state, 2, 'eu-west-1')).toContain('--quota-code L-1216C47A --desired-value 7 --region eu-west-1');
  });
});
