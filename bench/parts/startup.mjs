import { bareNodeMs, sideBySide } from '../measure.mjs';

/** What starting the CLI costs. */
export async function measure({ pairs, rawcloud, report }) {
  for (const flag of ['--version', '--help']) {
    const { one, baseline, ratio } = await sideBySide(pairs * 2, async () => (await rawcloud([flag])).ms, bareNodeMs);
    report(`rawcloud ${flag}`, { ratio, ms: one, baselineMs: baseline }, 'node -e 0', 1.6);
  }
}
