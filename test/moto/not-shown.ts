import { readFile } from 'node:fs/promises';
import { LOG } from './moto';

/**
 * Types of resources that moto's CloudFormation passes over, and who proves them instead. What else it cannot show of what it
 * does make stands in test/contract/deviations.ts.
 */
export const NOT_SHOWN: Readonly<Record<string, string>> = {
  'AWS::Lambda::EventInvokeConfig': 'that a failed call is made twice more and then kept: test/constructs, on the template',
  'AWS::S3::BucketPolicy':
    'that nobody but VMs reads grants, and nobody without TLS: test/constructs, and the local cloud, which evaluates it',
  'AWS::SQS::QueuePolicy': 'that the queue takes nothing without TLS: test/constructs, on the template',
  'AWS::Scheduler::Schedule': 'that a schedule fires, and in its time zone: test/constructs, on the template; the test sends its input',
};

/**
 * Of these types, those that the server's log says were passed over. Only of these: the log tells of every stack, and tests
 * deploy side by side.
 */
export async function passedOver(types: readonly string[]): Promise<string[]> {
  const said = (await readFile(LOG, 'utf8')).matchAll(/No Moto CloudFormation support for (\S+)/g);
  const over = new Set([...said].map(([, type]) => type!));
  return [...new Set(types)].filter((type) => over.has(type)).sort();
}

/** Of these types, those that are listed here. */
export function listed(types: readonly string[]): string[] {
  return [...new Set(types)].filter((type) => type in NOT_SHOWN).sort();
}
