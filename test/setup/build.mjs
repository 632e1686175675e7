import { ensureBuilt } from '../../scripts/house/build.mjs';

/**
 * Once before all tests: the bundles that the end-to-end tests run. A failure is told and the tests go on:
 * those that need a bundle find none (never an old one) and fail; `npm test` has refused before.
 */
export default async function build() {
  // The SDK's word about Node versions is no finding of a test.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  try {
    await ensureBuilt();
  } catch (error) {
    process.stderr.write(`the bundles could not be made: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
