import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { execDocument, execDocumentName } from '../contract';

/** What a session on a VM does: nothing but to enter the job. A changed one becomes a new version of the same document. */
export function createExecDocument(scope: Construct, scaffold: string): CfnDocument {
  return new CfnDocument(scope, 'ExecDocument', {
    name: execDocumentName(scaffold),
    documentType: 'Session',
    documentFormat: 'JSON',
    content: execDocument(),
    updateMethod: 'NewVersion',
  });
}
