import * as v from 'valibot';

/** One way to buy a VM, with its price when the plan was made. */
export const OfferSchema = v.strictObject({
  vmType: v.string(),
  /** Availability zone, as `us-east-1a`; absent when EC2 may choose. */
  zone: v.optional(v.string()),
  purchase: v.picklist(['on-demand', 'spot']),
  arch: v.picklist(['x86_64', 'arm64']),
  vcpu: v.number(),
  memoryGiB: v.number(),
  usdPerHour: v.number(),
  /** False in a private subnet: nothing is paid for an address then. @default true */
  publicIpv4: v.optional(v.boolean()),
  /** Where the price is from, as `built-in table of 2026-11-01`. */
  priceSource: v.string(),
  /** True when the price is a guess (a region the table does not hold). */
  priceEstimated: v.boolean(),
  /** Why it stands where it stands in the plan, as `cheapest that fits`. */
  reason: v.optional(v.string()),
});
export type Offer = v.InferOutput<typeof OfferSchema>;
