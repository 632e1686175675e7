import { ClaimSchema, decodeJson, encodeJson, jobKeys } from '../contract';
import type { Claim, Store } from '../contract';
import { persevere } from './persevere';
import type { PersevereOptions } from './persevere';

/** Whose claim on a block is to be written. */
export interface Claiming {
  readonly store: Store;
  readonly prefix: string;
  readonly block: number;
  readonly claim: Claim;
}

/**
 * Claims a block, over a claim of a lower epoch if there is one: its VM is lost. A lost reply is told from a lost race by the nonce.
 * @returns whether the block is ours
 */
export async function claimBlock({ store, prefix, block, claim }: Claiming, options: PersevereOptions): Promise<boolean> {
  const key = jobKeys.claim(prefix, block);
  return persevere(options, async () => {
    let over: { etag: string } | 'absent' = 'absent';
    while ((await store.put(key, encodeJson(claim), { if: over })) === 'lost') {
      const found = await store.get(key);
      if (found === 'unchanged') continue;
      if (found === 'absent') {
        over = 'absent';
        continue;
      }
      const lies = decodeJson(ClaimSchema, found.body, 'a claim');
      if (lies.nonce === claim.nonce) return true;
      if (lies.epoch >= claim.epoch) return false;
      over = { etag: found.etag };
    }
    return true;
  });
}
