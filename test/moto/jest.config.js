const house = require('../../jest.config.js');

/**
 * Ring 2. The files have an ending of their own, so that `npm test`, which has no moto, passes them by.
 * @type {import('jest').Config}
 */
module.exports = {
  ...house,
  rootDir: '../..',
  roots: ['<rootDir>/test/moto'],
  testMatch: ['**/*.moto.ts'],
  globalSetup: '<rootDir>/test/moto/setup.ts',
};
