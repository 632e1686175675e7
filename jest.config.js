const { availableParallelism } = require('node:os');

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: '<rootDir>/test/setup/environment.ts',
  runtime: '<rootDir>/test/setup/runtime.cjs',
  globalSetup: '<rootDir>/test/setup/build.mjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }] },
  // import('./x.js') of our own, as Node will see it.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // The order of tests within a file; the seed is printed, `--seed` repeats it.
  randomize: true,
  // Tests of whole runs mostly wait.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  testTimeout: 120_000,
};
