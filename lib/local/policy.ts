import { type PolicyStatement, RawcloudError } from '../contract';
import type { Principal } from './service';

/** One question to the policies: may this be done to that. */
export interface AccessQuestion {
  /** `s3:GetObject` */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  /** Values of condition keys, by lower-case name: `aws:userid`. */
  readonly context: Readonly<Record<string, string>>;
}

/** 'silent' when no statement speaks of it, which means no. */
export type Verdict = 'allowed' | 'denied' | 'silent';

/**
 * IAM's evaluation of statements of one kind: a Deny that fits wins, else an Allow that fits, else silence.
 * Knows wildcards, policy variables in resources and condition values, and the operators of {@link OPERATORS}.
 * Source: IAM user guide, "Policy evaluation logic".
 * @throws E_LOCAL_CLOUD for a condition operator it does not know: guessing would prove nothing
 */
export function evaluate(statements: readonly PolicyStatement[], question: AccessQuestion): Verdict {
  const fitting = statements.filter((s) => fits(s, question));
  if (fitting.some((s) => s.Effect === 'Deny')) return 'denied';
  return fitting.length > 0 ? 'allowed' : 'silent';
}

function fits(statement: PolicyStatement, { action, resource, context }: AccessQuestion): boolean {
  return (
    list(statement.Action).some((a) => like(a.toLowerCase(), action.toLowerCase())) &&
    list(statement.Resource).some((r) => like(r, resource, context)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) => holds(operator, keys, context))
  );
}

type Operator = (wanted: string, got: string | undefined, context: AccessQuestion['context']) => boolean;

const equals: Operator = (wanted, got, context) => got === substitute(wanted, context, (v) => v);
const isLike: Operator = (wanted, got, context) => got !== undefined && like(wanted, got, context);

/** Of several values a positive operator wants one to fit, a negated one none. A missing key fails the first and satisfies the second. */
const OPERATORS: Readonly<Record<string, { readonly fits: Operator; readonly negated?: true }>> = {
  StringEquals: { fits: equals },
  StringNotEquals: { fits: equals, negated: true },
  StringLike: { fits: isLike },
  StringNotLike: { fits: isLike, negated: true },
  Bool: { fits: (wanted, got) => got?.toLowerCase() === wanted.toLowerCase() },
};

type ConditionKeys = Readonly<Record<string, string | readonly string[]>>;

function holds(operator: string, keys: ConditionKeys, context: AccessQuestion['context']): boolean {
  const test = OPERATORS[operator];
  if (!test) {
    throw new RawcloudError(
      'E_LOCAL_CLOUD',
      `the local cloud does not know the condition operator '${operator}'; it knows ${Object.keys(OPERATORS).join(', ')}`,
    );
  }
  return Object.entries(keys).every(([key, wanted]) => {
    const fits = list(wanted).some((one) => test.fits(one, context[key.toLowerCase()], context));
    return fits !== (test.negated ?? false);
  });
}

const MAX_PATTERNS = 4096;
const patterns = new Map<string, RegExp>();

/** `*` for any text, `?` for one character; a variable's value stands for itself, whatever characters it holds. */
function like(pattern: string, text: string, context: AccessQuestion['context'] = {}): boolean {
  const source = substitute(wild(pattern), context, escape);
  let compiled = patterns.get(source);
  if (!compiled) {
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    compiled = new RegExp(`^${source}$`, 's');
    patterns.set(source, compiled);
  }
  return compiled.test(text);
}

/** As the source of a regular expression, with `${…}` left standing. */
function wild(pattern: string): string {
  return pattern
    .split(/(\$\{[^}]*\}|[*?])/)
    .map((part) => (part === '*' ? '.*' : part === '?' ? '.' : part.startsWith('${') ? part : escape(part)))
    .join('');
}

/** A variable without a value becomes text that nothing equals, as in IAM, where the statement then does not fit. */
function substitute(text: string, context: AccessQuestion['context'], quote: (value: string) => string): string {
  return text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = context[name.toLowerCase()];
    return value === undefined ? '\0' : quote(value);
  });
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function list(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

/** Condition context of a request. */
export function contextOf(principal: Principal): AccessQuestion['context'] {
  return {
    'aws:userid': principal.userId,
    'aws:principalarn': principal.arn,
    'aws:principalaccount': principal.account,
    'aws:securetransport': 'false',
  };
}

/** Everything is allowed that nothing else denies: what the developer's own policy says. */
const ALLOW_ALL: readonly PolicyStatement[] = [{ Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' }];

export interface PoliciesOptions {
  /** Identity policy of the role that a VM carries. */
  readonly vmStatements: (vm: Principal) => readonly PolicyStatement[];
  /** Policy of a bucket. @default - none */
  readonly bucketStatements?: (bucket: string) => readonly PolicyStatement[];
}

/** Why not, in IAM's words; `undefined` when it is allowed. */
export type Refusal = string | undefined;

/** Who may do what in the local cloud: the developer everything, VMs what their role says, and no one what a bucket denies. */
export class Policies {
  readonly #options: PoliciesOptions;

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  /**
   * @param resource ARN; for S3 `arn:aws:s3:::<bucket>[/<key>]`
   * @param conditions values of the condition keys of the service itself, by lower-case name
   */
  refusal(principal: Principal, action: string, resource: string, conditions: AccessQuestion['context'] = {}): Refusal {
    const question = { action, resource, context: { ...contextOf(principal), ...conditions } };
    const bucket = /^arn:aws:s3:::([^/]+)/.exec(resource)?.[1];
    const ofBucket = bucket === undefined ? [] : (this.#options.bucketStatements?.(bucket) ?? []);
    const ofIdentity = principal.kind === 'developer' ? ALLOW_ALL : this.#options.vmStatements(principal);
    const [bucketSays, identitySays] = [evaluate(ofBucket, question), evaluate(ofIdentity, question)];
    const who = `User: ${principal.arn} is not authorized to perform: ${action} on resource: "${resource}"`;
    if (bucketSays === 'denied') return `${who} with an explicit deny in a resource-based policy`;
    if (identitySays === 'denied') return `${who} with an explicit deny in an identity-based policy`;
    if (bucketSays === 'allowed' || identitySays === 'allowed') return undefined;
    return `${who} because no identity-based policy allows the ${action} action`;
  }
}
