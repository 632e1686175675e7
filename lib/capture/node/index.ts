import { RawcloudError } from '../../contract';
import type { CaptureContext, Capturer, Found } from '../../contract';
import { findNeeds } from '../needs';
import type { Seen } from './environment';

export const NODE_KIND = 'node';

/** What was read to find it is not read again to carry it. */
const lookedAt = new WeakMap<Found, Seen>();

/**
 * Carries Node packages: the manager that wrote the lockfile travels, of the version that the project asks for, and installs what
 * the lockfile says in the tree on the VM; so does Node itself, where the VM's would be another one.
 */
export const nodeCapturer: Capturer = {
  kind: NODE_KIND,

  async detect(context) {
    const seen = await lookFor(context);
    if (!seen) return [];
    const { describe } = await environment();
    const found = describe(seen, context);
    lookedAt.set(found, seen);
    return [found];
  },

  async capture(found, context) {
    const seen = lookedAt.get(found) ?? (await lookFor(context));
    if (!seen) throw new RawcloudError('E_INTERNAL', 'the Node project that was found a moment ago is gone');
    const { carry } = await environment();
    return carry(seen, context);
  },
};

async function lookFor(context: CaptureContext): Promise<Seen | undefined> {
  const { node: need } = await findNeeds(context);
  if (!need) return undefined;
  const { look } = await environment();
  return look(need, context);
}

/** Loaded only for who has to do with Node: it reads YAML, and ranges of versions. */
function environment(): Promise<typeof import('./environment.js')> {
  return import('./environment.js');
}
