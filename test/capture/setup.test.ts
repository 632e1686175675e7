import { captureSetup } from '../../lib/capture/setup';
import { scratch } from './package-fixtures';

test('how long a setup may take travels, and is no part of what decides whether packages are built anew', async () => {
  const root = scratch();
  const given = { commands: ['dnf install -y gdal'], cwd: root, root, platform: 'linux-x86_64' };
  const [usual, longer] = [await captureSetup(given), await captureSetup({ ...given, timeoutS: 7_200 })];
  expect(longer!.layer.recipe).toMatchObject({ steps: [{ command: 'dnf install -y gdal' }], timeoutS: 7_200 });
  expect(usual!.layer.recipe).not.toHaveProperty('timeoutS');
  expect(longer!.layer.key).toBe(usual!.layer.key);
});
