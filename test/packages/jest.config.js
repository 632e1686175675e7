const base = require('../../jest.config.js');

/** Real package tools, real registries. Its files are called `*.packages.ts`, so that ring 1 does not take them along; see `npm run test:packages`. */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/packages'],
  testMatch: ['**/*.packages.ts'],
  // They compute, and share the caches of the tools.
  maxWorkers: 2,
  testTimeout: 480_000,
};
