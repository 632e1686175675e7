import { KEY_ACTIONS, type PolicyStatement, RawcloudError, throughBucket } from '../contract';
import type { Principal } from './service';

/** One question to the policies: may this be done to that. */
export interface AccessQuestion {
  /** `s3:GetObject` */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  /** Values of condition keys, by lower-case name: `aws:userid`. */
  readonly context: Conditions;
}

/** Of a key that has several values, as `aws:tagkeys`, all of them. */
export type Conditions = Readonly<Record<string, string | readonly string[]>>;

/** A question that somebody's call asked, and what came of it. Holds names and tags; no secret and no payload. */
export interface Asked extends AccessQuestion {
  /** ARN of who called. */
  readonly principal: string;
  readonly allowed: boolean;
  /** Not what was called: S3 asks itself whether it may say that a key is not there. */
  readonly aside: boolean;
}

/** 'silent' when no statement speaks of it, which means no. */
export type Verdict = 'allowed' | 'denied' | 'silent';

/**
 * IAM's evaluation of statements of one kind: a Deny that fits wins, else an Allow that fits, else silence.
 * Knows wildcards, policy variables in resources and condition values, the operators of {@link OPERATORS}, also `…IfExists`, `ForAllValues:` and `Null`.
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

type Operator = (wanted: string, got: string | undefined, context: Conditions) => boolean;

const equals: Operator = (wanted, got, context) => got === substitute(wanted, context, (v) => v);
const isLike: Operator = (wanted, got, context) => got !== undefined && like(wanted, got, context);
/** Each of the six parts by itself, with wildcards: for IAM, ArnEquals and ArnLike are the same. */
const isArnLike: Operator = (wanted, got, context) => {
  const [pattern, arn] = [partsOf(wanted), partsOf(got ?? '')];
  return pattern.length === arn.length && pattern.every((part, i) => like(part, arn[i]!, context));
};
const partsOf = (arn: string): string[] => [...arn.split(':', 5), arn.split(':').slice(5).join(':')];

/** Of several values a positive operator wants one to fit, a negated one none. A missing key fails the first and satisfies the second. */
const OPERATORS: Readonly<Record<string, { readonly fits: Operator; readonly negated?: true }>> = {
  StringEquals: { fits: equals },
  StringNotEquals: { fits: equals, negated: true },
  StringLike: { fits: isLike },
  StringNotLike: { fits: isLike, negated: true },
  ArnEquals: { fits: isArnLike },
  ArnLike: { fits: isArnLike },
  Bool: { fits: (wanted, got) => got?.toLowerCase() === wanted.toLowerCase() },
};

type ConditionKeys = Readonly<Record<string, string | readonly string[]>>;

const FOR_ALL = 'ForAllValues:';
const IF_EXISTS = 'IfExists';

function holds(operator: string, keys: ConditionKeys, context: Conditions): boolean {
  if (operator === 'Null') return Object.entries(keys).every(([key, wanted]) => isNull(context[key.toLowerCase()], wanted));
  const forAll = operator.startsWith(FOR_ALL);
  const ifExists = operator.endsWith(IF_EXISTS);
  const test = OPERATORS[operator.slice(forAll ? FOR_ALL.length : 0, ifExists ? -IF_EXISTS.length : undefined)];
  if (!test) {
    throw new RawcloudError(
      'E_LOCAL_CLOUD',
      `the local cloud does not know the condition operator '${operator}'; it knows ${Object.keys(OPERATORS).join(', ')}, Null`,
    );
  }
  return Object.entries(keys).every(([key, wanted]) => {
    const value = context[key.toLowerCase()];
    if (ifExists && value === undefined) return true;
    const holdsOf = (got: string | undefined): boolean =>
      list(wanted).some((one) => test.fits(one, got, context)) !== (test.negated ?? false);
    // Of no value at all, everything holds.
    if (forAll) return value === undefined || list(value).every(holdsOf);
    // What has several values is compared by set operators only.
    return holdsOf(typeof value === 'object' ? undefined : value);
  });
}

/** `Null` says whether a key is absent. */
function isNull(value: Conditions[string] | undefined, wanted: string | readonly string[]): boolean {
  return list(wanted).includes(String(value === undefined));
}

const MAX_PATTERNS = 4096;
const patterns = new Map<string, RegExp>();

/** `*` for any text, `?` for one character; a variable's value stands for itself, whatever characters it holds. */
function like(pattern: string, text: string, context: Conditions = {}): boolean {
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
function substitute(text: string, context: Conditions, quote: (value: string) => string): string {
  return text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = context[name.toLowerCase()];
    return typeof value === 'string' ? quote(value) : '\0';
  });
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function list(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

/** Condition context of a request. */
export function contextOf(principal: Principal): Conditions {
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
  /** Identity policy of the role that a VM, or whoever else has a session of it, carries. */
  readonly vmStatements: (vm: Principal) => readonly PolicyStatement[];
  /** Policy of a bucket. @default - none */
  readonly bucketStatements?: (bucket: string) => readonly PolicyStatement[];
}

/** What S3 asks of the key of a bucket. Source: S3 user guide, "Using server-side encryption with AWS KMS keys". */
const KEY_USES: Readonly<Record<string, string>> = { 's3:GetObject': 'kms:Decrypt', 's3:PutObject': 'kms:GenerateDataKey' };

/** Why not, in IAM's words; `undefined` when it is allowed. */
export type Refusal = string | undefined;

/**
 * Who may do what in the local cloud: the developer everything, or what {@link limitDeveloper} says; VMs what their role says;
 * and no one what a bucket denies.
 */
export class Policies {
  readonly #options: PoliciesOptions;
  readonly #listeners = new Set<(asked: Asked) => void>();
  #developer = ALLOW_ALL;
  readonly #keys = new Map<string, string>();

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  /** As if the developer's identity had this policy. */
  limitDeveloper(statements: readonly PolicyStatement[]): void {
    this.#developer = statements;
  }

  /** As if a bucket were encrypted with this key: whoever reads and writes objects is asked for the use of it. @param keyArn of KMS */
  encryptBucket(bucket: string, keyArn: string): void {
    this.#keys.set(bucket, keyArn);
  }

  /** What lets somebody read and write an encrypted bucket. */
  keyStatements(bucket: string): PolicyStatement[] {
    const key = this.#keys.get(bucket);
    if (key === undefined) return [];
    const Condition = throughBucket(`arn:aws:s3:::${bucket}`);
    return [{ Sid: 'KeyOfBucket', Effect: 'Allow', Action: KEY_ACTIONS.write, Resource: key, Condition }];
  }

  /** Tells of every question from now on. @returns what ends it */
  listen(listener: (asked: Asked) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * @param resource ARN; for S3 `arn:aws:s3:::<bucket>[/<key>]`
   * @param conditions values of the condition keys of the service itself, by lower-case name
   */
  refusal(principal: Principal, action: string, resource: string, conditions: Conditions = {}, aside = false): Refusal {
    const refusal = this.#ask(principal, action, resource, conditions, aside);
    if (refusal !== undefined) return refusal;
    const [, bucket = ''] = /^arn:aws:s3:::([^/]+)\//.exec(resource) ?? [];
    const [key, use] = [this.#keys.get(bucket), KEY_USES[action]];
    if (key === undefined || use === undefined) return undefined;
    // With a bucket key the context is the bucket. Source: S3 user guide, "Using bucket keys".
    const [, , , region] = key.split(':');
    const context = { 'kms:viaservice': `s3.${region}.amazonaws.com`, 'kms:encryptioncontext:aws:s3:arn': `arn:aws:s3:::${bucket}` };
    return this.#ask(principal, use, key, context, aside);
  }

  #ask(principal: Principal, action: string, resource: string, conditions: Conditions, aside: boolean): Refusal {
    const question = { action, resource, context: { ...contextOf(principal), ...conditions } };
    const refusal = this.#refusal(principal, question);
    const asked = { ...question, principal: principal.arn, allowed: refusal === undefined, aside };
    for (const listener of this.#listeners) listener(asked);
    return refusal;
  }

  #refusal(principal: Principal, question: AccessQuestion): Refusal {
    const { action, resource } = question;
    const bucket = /^arn:aws:s3:::([^/]+)/.exec(resource)?.[1];
    const ofBucket = bucket === undefined ? [] : (this.#options.bucketStatements?.(bucket) ?? []);
    const ofIdentity = principal.kind === 'developer' ? this.#developer : this.#options.vmStatements(principal);
    const [bucketSays, identitySays] = [evaluate(ofBucket, question), evaluate(ofIdentity, question)];
    const who = `User: ${principal.arn} is not authorized to perform: ${action} on resource: "${resource}"`;
    if (bucketSays === 'denied') return `${who} with an explicit deny in a resource-based policy`;
    if (identitySays === 'denied') return `${who} with an explicit deny in an identity-based policy`;
    if (bucketSays === 'allowed' || identitySays === 'allowed') return undefined;
    return `${who} because no identity-based policy allows the ${action} action`;
  }
}
