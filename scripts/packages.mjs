/*
 * npm run test:packages [-- jest's arguments]: the tests in test/packages, with the real package tools, from the real registries.
 * Without python3 or PyPI it says `skipped: …` as its last line and exits 0.
 */
import { fileURLToPath } from 'node:url';
import { ensurePythonTools } from './house/python-tools.mjs';
import { runRing } from './house/ring.mjs';

const REQUIREMENTS = fileURLToPath(new URL('packages/requirements.txt', import.meta.url));

await runRing('packages', async ({ jest }) => {
  const python = await ensurePythonTools({ name: 'package-tools', requirements: REQUIREMENTS });
  await jest({ RAWCLOUD_PACKAGES_PYTHON: python });
});
