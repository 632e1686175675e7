import type { GenericSchema } from 'valibot';
import { decodeJson, encodeJson } from '../contract';
import type { Store } from '../contract';
import { persevere } from './persevere';
import type { PersevereOptions } from './persevere';

/**
 * Writes a record that only the first writer may write. A lost reply is told from a lost race by the nonce.
 * @returns whether what lies there is ours
 */
export async function writeOnce<const S extends GenericSchema<unknown, { readonly nonce: string }>>(
  store: Store,
  key: string,
  schema: S,
  record: { readonly nonce: string },
  options: PersevereOptions,
): Promise<boolean> {
  return persevere(options, async () => {
    if ((await store.put(key, encodeJson(record), { if: 'absent' })) !== 'lost') return true;
    const found = await store.get(key);
    return found !== 'absent' && found !== 'unchanged' && decodeJson(schema, found.body, 'a record of ours').nonce === record.nonce;
  });
}
