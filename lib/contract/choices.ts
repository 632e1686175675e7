import * as v from 'valibot';
import { RawcloudError } from './errors';
import { problemsOfLimits } from './limits';
import { SpotPolicySchema } from './spec';
import { problemsOfTags } from './vm-tags';

/**
 * What can be chosen about a scaffolding on a command line: {@link ScaffoldChoices} become props of `RawCloud`, and stand in the
 * metadata of the stack's template, so that the next `rawcloud deploy` knows what the one before was told.
 */
export const ScaffoldChoicesSchema = v.strictObject({
  maxVms: v.optional(v.number()),
  maxLifetimeS: v.optional(v.number()),
  allowedVmTypes: v.optional(v.array(v.string())),
  allowedSpotPolicies: v.optional(v.array(SpotPolicySchema)),
  vmTags: v.optional(v.record(v.string(), v.string())),
  /** The subnets are those that were found when it was chosen. */
  vpc: v.optional(
    v.strictObject({
      id: v.string(),
      subnets: v.array(v.strictObject({ id: v.string(), zone: v.string(), public: v.boolean() })),
    }),
  ),
  securityGroupIds: v.optional(v.array(v.string())),
  watchedRegions: v.optional(v.array(v.string())),
  /** ARN or name of a managed policy. */
  permissionsBoundary: v.optional(v.string()),
  /** Name of a bucket that is there. */
  bucket: v.optional(v.string()),
  keyArn: v.optional(v.string()),
  /** Of the bucket that the scaffolding makes. */
  removalPolicy: v.optional(v.picklist(['retain', 'destroy'])),
  shared: v.optional(v.literal(true)),
  allowExec: v.optional(v.literal(true)),
  metrics: v.optional(v.literal(true)),
  reaperIntervalS: v.optional(v.number()),
  /** Of the functions' own logs. */
  logRetentionDays: v.optional(v.union([v.number(), v.literal('forever')])),
});
export type ScaffoldChoices = v.InferOutput<typeof ScaffoldChoicesSchema>;
export type ScaffoldChoice = keyof ScaffoldChoices;

/** The context of our CDK app by which it is told the choices, as JSON. */
export const CHOICES_CONTEXT = 'choices';
/** Where they stand in the template's metadata. */
const METADATA_KEY = 'rawcloud';

/** Times that CloudWatch keeps logs for (PutRetentionPolicy), in days. */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/** The reaper leaves a trace each hour by which the doctor knows that it lives. */
const REAPER_INTERVAL_S = { shortest: 60, longest: 3600 };

/** A choice as words of a command line: the option, and its values; without values it is a switch. The order is that of texts. */
const WORDS: { readonly [C in ScaffoldChoice]: readonly [option: string, values: (value: NonNullable<ScaffoldChoices[C]>) => string[]] } = {
  maxVms: ['--max-vms', (value) => [String(value)]],
  maxLifetimeS: ['--max-lifetime', (value) => [shortDuration(value)]],
  allowedVmTypes: ['--allow-vm-type', (value) => value],
  allowedSpotPolicies: ['--allow-spot-policy', (value) => value],
  vmTags: ['--vm-tag', (value) => Object.entries(value).map(([key, text]) => `${key}=${text}`)],
  vpc: ['--vpc', ({ id, subnets }) => [id, '--subnets', subnets.map((subnet) => subnet.id).join(',')]],
  securityGroupIds: ['--security-group', (value) => value],
  watchedRegions: ['--watch-region', (value) => value],
  permissionsBoundary: ['--permissions-boundary', (value) => [value]],
  bucket: ['--bucket', (value) => [value]],
  keyArn: ['--key', (value) => [value]],
  removalPolicy: ['--removal-policy', (value) => [value]],
  shared: ['--shared', () => []],
  allowExec: ['--allow-exec', () => []],
  metrics: ['--metrics', () => []],
  reaperIntervalS: ['--reaper-interval', (value) => [shortDuration(value)]],
  logRetentionDays: ['--log-retention', (value) => [value === 'forever' ? value : `${value}d`]],
};

/** Choices that have no value. */
const SWITCHES: ReadonlySet<ScaffoldChoice> = new Set(['shared', 'allowExec', 'metrics']);

/** One choice in words. */
export interface ChoiceWords {
  readonly option: string;
  readonly values: readonly string[];
}

/** Choices in words, without those that are not made. */
export function wordsOf(choices: ScaffoldChoices): Partial<Record<ScaffoldChoice, ChoiceWords>> {
  const words: Partial<Record<ScaffoldChoice, ChoiceWords>> = {};
  const add = <C extends ScaffoldChoice>(choice: C): void => {
    const value = choices[choice];
    const [option, values] = WORDS[choice];
    if (value !== undefined) words[choice] = { option, values: values(value) };
  };
  (Object.keys(WORDS) as ScaffoldChoice[]).forEach(add);
  return words;
}

/** The options by which a command makes the same choices. */
export function optionsOf(choices: ScaffoldChoices): string[] {
  return Object.entries(wordsOf(choices)).flatMap(([choice, { option, values }]) =>
    choice === 'vpc' || values.length === 0 ? [option, ...values] : values.flatMap((value) => [option, value]),
  );
}

/** The options by which a command takes a choice back. */
export function optionsBack(choice: ScaffoldChoice): string[] {
  const [option] = WORDS[choice];
  return SWITCHES.has(choice) ? [option.replace('--', '--no-')] : [option, 'none'];
}

/** What becomes of one choice. */
export interface ChoiceChange {
  readonly option: string;
  /** Absent: the default. */
  readonly from?: string;
  readonly to?: string;
}

export function changesOf(before: ScaffoldChoices, after: ScaffoldChoices): ChoiceChange[] {
  const [old, now] = [wordsOf(before), wordsOf(after)];
  return (Object.keys(WORDS) as ScaffoldChoice[]).flatMap((choice): ChoiceChange[] => {
    const [from, to] = [old, now].map((words) => words[choice] && (words[choice].values.join(' ') || 'on'));
    if (from === to) return [];
    return [{ option: WORDS[choice][0], ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
  });
}

/** US dollars a month, of five-minute passes and four metrics (docs/costs.md). */
const STANDING_USD = { passes: 0.15, metrics: 1.2 };

/** What a scaffolding costs a month while no job runs, beside what lies in its bucket. */
export function standingCosts({ metrics, reaperIntervalS = 300 }: ScaffoldChoices): { reaperUsd: number; metricsAtMostUsd: number } {
  const reaperUsd = Number(((STANDING_USD.passes * 300) / reaperIntervalS).toFixed(2));
  return { reaperUsd, metricsAtMostUsd: metrics ? STANDING_USD.metrics : 0 };
}

/** Everything that is wrong with choices, in words. */
export function problemsOfChoices(choices: ScaffoldChoices): string[] {
  const { maxVms, maxLifetimeS, allowedVmTypes, allowedSpotPolicies, vmTags, securityGroupIds, permissionsBoundary, keyArn } = choices;
  const { bucket, removalPolicy, reaperIntervalS, logRetentionDays } = choices;
  const { shortest, longest } = REAPER_INTERVAL_S;
  const limits = {
    ...(maxVms === undefined ? {} : { vms: maxVms }),
    ...(maxLifetimeS === undefined ? {} : { lifetimeS: maxLifetimeS }),
    ...(allowedVmTypes ? { vmTypes: allowedVmTypes } : {}),
    ...(allowedSpotPolicies ? { spotPolicies: allowedSpotPolicies } : {}),
  };
  return [
    ...problemsOfLimits(limits),
    ...problemsOfTags(vmTags ?? {}).map((problem) => `--vm-tag: ${problem}`),
    ...(securityGroupIds && (securityGroupIds.length > 5 || securityGroupIds.some((id) => !/^sg-[0-9a-f]{8,17}$/.test(id)))
      ? [`--security-group ${securityGroupIds.join(', ')} is not possible; allowed are 1 to 5 ids like sg-0123456789abcdef0`]
      : []),
    ...(permissionsBoundary === undefined || /^(arn:[a-z-]+:iam::(\d{12}|aws):policy\/)?[\w+=,.@/-]+$/.test(permissionsBoundary)
      ? []
      : [`--permissions-boundary '${permissionsBoundary}' is neither the name nor the ARN of a managed policy`]),
    ...(keyArn === undefined || /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(keyArn)
      ? []
      : [`--key '${keyArn}' is not the ARN of a KMS key; it looks like arn:aws:kms:us-east-1:123456789012:key/…`]),
    ...(bucket === undefined || /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)
      ? []
      : [
          `--bucket '${bucket}' is not the name of a bucket; allowed are 3 to 63 lower-case letters, digits, dots and dashes, without s3:// or arn:`,
        ]),
    ...(bucket !== undefined && removalPolicy !== undefined
      ? ['--removal-policy is about the bucket that the scaffolding makes, and --bucket is one of yours; leave one of them out']
      : []),
    ...(reaperIntervalS === undefined || (reaperIntervalS % 60 === 0 && reaperIntervalS >= shortest && reaperIntervalS <= longest)
      ? []
      : [`--reaper-interval of ${shortDuration(reaperIntervalS)} is not possible; allowed are whole minutes from 1m to 1h`]),
    ...(logRetentionDays === undefined || logRetentionDays === 'forever' || RETENTION_DAYS.includes(logRetentionDays)
      ? []
      : [`--log-retention of ${logRetentionDays}d is not possible; CloudWatch knows ${RETENTION_DAYS.join('d, ')}d, and forever`]),
  ];
}

/** @throws E_USAGE for what is no JSON of choices, or has choices that this version does not know */
export function parseChoices(text: string): ScaffoldChoices {
  const unreadable = (problem: string): RawcloudError =>
    new RawcloudError('E_USAGE', `the choices about the scaffolding cannot be read: ${problem}`, {
      remedy: `Known are ${Object.keys(WORDS).join(', ')}. A newer release of rawcloud may know more.`,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(String(cause));
  }
  const parsed = v.safeParse(ScaffoldChoicesSchema, value);
  if (parsed.success) return parsed.output;
  throw unreadable(parsed.issues.map((issue) => `${v.getDotPath(issue) ?? ''}: ${issue.message}`).join('; '));
}

/** As the template's metadata hold choices; undefined when none are made. CloudFormation gives back ASCII only. */
export function choicesMetadata(choices: ScaffoldChoices): Record<string, string> | undefined {
  if (Object.keys(choices).length === 0) return undefined;
  const text = JSON.stringify(choices);
  return { [METADATA_KEY]: text.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`) };
}

/** The choices in the metadata of a template. @throws as {@link parseChoices} */
export function choicesIn(metadata: unknown): ScaffoldChoices {
  const found = v.safeParse(v.object({ [METADATA_KEY]: v.string() }), metadata);
  return found.success ? parseChoices(found.output[METADATA_KEY]) : {};
}

/** The longest unit that leaves no rest, as the option is typed. */
function shortDuration(seconds: number): string {
  const units = { d: 86_400, h: 3600, m: 60 };
  const unit = Object.entries(units).find(([, length]) => seconds % length === 0);
  return unit ? `${seconds / unit[1]}${unit[0]}` : `${seconds}s`;
}
