import { Lazy } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { assetsStatement, launchFunctionStatements, reaperStatements } from '../contract';
import type { AccessFacts, PolicyStatement as Statement } from '../contract';

/** What the two functions of a scaffolding may do; what is added before synthesis counts. */
export class FunctionPolicies {
  readonly launch: PolicyDocument;
  readonly reaper: PolicyDocument;
  readonly #assetBuckets = new Set<string>();

  constructor(facts: AccessFacts) {
    this.launch = documentOf(launchFunctionStatements(facts));
    this.reaper = documentOf(reaperStatements(facts));
  }

  /** Lets both read what deployed jobs have among an app's assets. */
  allowAssets({ bucketArn }: IBucket): void {
    // With the first job: IAM refuses a statement about nothing.
    if (this.#assetBuckets.size === 0) {
      const objects = Lazy.list({ produce: () => [...this.#assetBuckets].map((arn) => `${arn}/*`) });
      for (const document of [this.launch, this.reaper]) document.addStatements(PolicyStatement.fromJson(assetsStatement(objects)));
    }
    this.#assetBuckets.add(bucketArn);
  }
}

function documentOf(statements: readonly Statement[]): PolicyDocument {
  return new PolicyDocument({ statements: statements.map((statement) => PolicyStatement.fromJson(statement)) });
}
