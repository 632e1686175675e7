import { Token } from 'aws-cdk-lib';
import { problemsOfTags } from '../contract';

/** What is known at deployment only may be a value, not a key. @throws with every problem found */
export function checkVmTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const late = Object.keys(tags).filter((key) => Token.isUnresolved(key));
  if (late.length > 0) throw new Error("rawcloud: a key of 'vmTags' is not known before the deployment; allowed are tokens as values only");
  const known = Object.entries(tags).map(([key, value]): [string, string] => [key, Token.isUnresolved(value) ? '' : value]);
  const problems = problemsOfTags(Object.fromEntries(known));
  if (problems.length > 0) throw new Error(`rawcloud: vmTags: ${problems.join('; ')}`);
  return tags;
}
