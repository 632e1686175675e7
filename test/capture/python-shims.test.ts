import path from 'node:path';
import { capturePackages } from '../../lib/capture/packages';
import { context, pythonTest, python3, scratch, writeProgram, writeVenv } from './package-fixtures';

pythonTest('a shim that leads into a virtual environment means its packages, not those of the Python that it was made of', async () => {
  const root = scratch();
  const prefix = path.join(root, 'versions', 'own');
  writeVenv(prefix, [{ name: 'idna', version: '3.7' }], python3!.minor);
  writeProgram(
    path.join(prefix, 'bin', 'python'),
    `#!/bin/sh\nexec -a "$0" ${python3!.executable} "$@"\n`.replace('/bin/sh', '/usr/bin/env bash'),
  );
  writeProgram(path.join(root, 'shims', 'python'), `#!/bin/sh\nexec ${prefix}/bin/python "$@"\n`);
  const { layers } = await capturePackages(context(root, ['python', 'a.py'], { env: { PATH: `${root}/shims:/usr/bin:/bin` } }));
  expect(layers[0]!.recipe).toMatchObject({ requirements: ['idna==3.7'] });
});
