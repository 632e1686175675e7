import { RawcloudError } from '../../../lib/contract';
import type { Context } from '../../context';

/** Ctrl-C ends what is going on. */
export async function interruptible<T>({ io }: Context, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const undo = io.signals.listen(() => stop.abort(new RawcloudError('E_ABORTED', 'it was interrupted')));
  try {
    return await work(stop.signal);
  } finally {
    undo();
  }
}
