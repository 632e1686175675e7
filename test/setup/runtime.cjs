const Runtime = require('jest-runtime').default;

/* The CDK is large, and jest would load and compile it anew for each test file: that took longer than the tests did. It keeps
   no state that one test file could hand another, so each worker has it once, outside of the tests' own world. */
const OUTSIDE = /^(aws-cdk-lib|constructs)(\/|$)/;

/* It brings a library that remembers the directory the process is in until `process.chdir` is called. The process that tests see is
   a copy: one made before that library came in would change the directory behind its back, for each test file that follows. */
require(require.resolve('graceful-fs', { paths: [require.resolve('aws-cdk-lib')] }));

/* It would also validate each template of each test by CloudFormation's rules, which takes a quarter of all that constructs take, and
   print what it finds. test/constructs/raw-cloud.test.ts asks for it, where a finding is an error. */
process.env.CDK_VALIDATION = 'false';

module.exports = class extends Runtime {
  requireModuleOrMock(from, name) {
    return OUTSIDE.test(name) ? require(name) : super.requireModuleOrMock(from, name);
  }

  requireActual(from, name) {
    return OUTSIDE.test(name) ? require(name) : super.requireActual(from, name);
  }
};
