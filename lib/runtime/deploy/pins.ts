/** What `rawcloud deploy` works with, and who only runs jobs does not need. A test holds it equal to what is tested with. */
export const CDK_PINS = {
  '@aws-cdk/toolkit-lib': '1.43.0',
  'aws-cdk-lib': '2.273.0',
  constructs: '10.8.1',
} as const satisfies Readonly<Record<string, string>>;
