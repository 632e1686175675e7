/** A value of a template: text, or an intrinsic function. */
type Value = unknown;

/** What CloudFormation would know after the deployment: `Bucket`, `Bucket.Arn`, `AWS::Region`, by logical id. */
export type Deployed = (reference: string) => string;

const ZONES = ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'];

/** Carries out intrinsic functions as CloudFormation does; only those that the constructs use. */
export function resolve(value: Value, deployed: Deployed): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, deployed));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? [];
  if (entries.length === 1 && name !== undefined && name in INTRINSICS) return INTRINSICS[name]!(argument, deployed);
  return Object.fromEntries(entries.map(([key, item]) => [key, resolve(item, deployed)]));
}

const INTRINSICS: Readonly<Record<string, (argument: Value, deployed: Deployed) => unknown>> = {
  Ref: (id, deployed) => deployed(String(id)),
  'Fn::GetAtt': (path, deployed) => deployed((path as string[]).join('.')),
  'Fn::GetAZs': () => ZONES,
  // The constructs have no condition that is not always true.
  'Fn::If': (argument, deployed) => resolve((argument as Value[])[1], deployed),
  'Fn::Join': (argument, deployed) => {
    const [separator, parts] = argument as [string, Value];
    return (resolve(parts, deployed) as string[]).join(separator);
  },
  'Fn::Sub': (text, deployed) => String(text).replaceAll(/\$\{([^}]+)\}/g, (_, reference: string) => deployed(reference)),
  'Fn::Base64': (text, deployed) => Buffer.from(String(resolve(text, deployed))).toString('base64'),
};

/** Names that look as AWS makes them. */
export function deployedAs(overrides: Readonly<Record<string, string>> = {}): Deployed {
  return (reference) => {
    const known: Record<string, string> = {
      'AWS::Region': 'eu-central-1',
      'AWS::AccountId': '123456789012',
      'AWS::Partition': 'aws',
      ...overrides,
    };
    const ending = Object.keys(known).find((key) => reference === key || reference.endsWith(key));
    return ending === undefined ? `value-of-${reference}` : known[ending]!;
  };
}
