/** Constructs: the scaffolding of an account, for `cdk deploy` or for import into another CDK app. */
export { RawCloud } from './constructs';
export type { RawCloudProps } from './constructs';
