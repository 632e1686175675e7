import { Duration, Token } from 'aws-cdk-lib';

/** Whether CloudFormation alone will know a value, or a part of it. */
export function isLate(value: unknown): boolean {
  if (value instanceof Duration) return value.isUnresolved();
  if (Token.isUnresolved(value)) return true;
  if (Array.isArray(value)) return value.some(isLate);
  return isRecord(value) && (Object.keys(value).some(isLate) || Object.values(value).some(isLate));
}

/** A map of an option, and not a construct or something else with ways of its own. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
