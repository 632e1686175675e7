const base = require('../../jest.config.js');

/** Ring 3. Its files are called `*.vm.ts`, so that ring 1 does not take them along; `npm run test:vm` sets up what they need. */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/vm'],
  testMatch: ['**/*.vm.ts'],
  // A VM in software takes half a gigabyte and a core and a half.
  maxWorkers: 2,
  // On an idle machine a test takes half a minute; on one that is busy otherwise, several.
  testTimeout: 600_000,
};
