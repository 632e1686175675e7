/** A field of a cron expression: what it may hold. */
interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Names for numbers, from `least` on. */
  readonly names?: readonly string[];
  /** More than numbers, ranges, lists and steps. */
  readonly special?: RegExp;
  readonly example: string;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Source: EventBridge Scheduler user guide, "Schedule types", cron-based schedules. */
const FIELDS: readonly Field[] = [
  { name: 'minutes', least: 0, most: 59, example: '0-59' },
  { name: 'hours', least: 0, most: 23, example: '0-23' },
  { name: 'day of the month', least: 1, most: 31, special: /^(\?|L|LW|([1-9]|[12]\d|3[01])W)$/, example: '1-31, ? or L' },
  { name: 'month', least: 1, most: 12, names: MONTHS, example: '1-12 or JAN-DEC' },
  {
    name: 'day of the week',
    least: 1,
    most: 7,
    names: DAYS,
    special: /^(\?|L|[1-7]L|([1-7]|[A-Z]{3})#[1-5])$/,
    example: '1-7 or SUN-SAT, ? or L',
  },
  { name: 'year', least: 1970, most: 2199, example: '1970-2199' },
];

/**
 * What is wrong with a schedule that EventBridge would refuse at deployment only: `rate(…)`, `cron(…)`, `at(…)` and the name of a time
 * zone. Empty when nothing is.
 */
export function problemsOfSchedule(expression: string, timeZone?: string): string[] {
  return [...problemsOfExpression(expression), ...(timeZone === undefined || isTimeZone(timeZone) ? [] : [zoneWords(timeZone)])];
}

function problemsOfExpression(expression: string): string[] {
  const [, kind, inside] = /^(rate|cron|at)\((.*)\)$/.exec(expression) ?? [];
  if (kind === 'rate' && /^[1-9]\d{0,8} (minute|hour|day)s?$/.test(inside!)) return [];
  if (kind === 'at' && isMoment(inside!)) return [];
  if (kind === 'cron') return problemsOfCron(expression, inside!);
  return [
    `schedule '${expression}' is not one; allowed are rate(5 minutes) with minutes, hours or days from 1 on, cron(0 3 * * ? *), and at(2027-01-31T03:00:00)`,
  ];
}

function isMoment(text: string): boolean {
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/.test(text) ? Date.parse(`${text}Z`) : NaN;
  // What Date moves on (30 February) is none.
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

function problemsOfCron(expression: string, inside: string): string[] {
  const fields = inside.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) {
    return [`schedule '${expression}' has ${fields.length} fields; allowed are 6: ${FIELDS.map(({ name }) => name).join(', ')}`];
  }
  const wrong = FIELDS.flatMap((field, at) =>
    holds(field, fields[at]!)
      ? []
      : [`schedule '${expression}': ${field.name} cannot be '${fields[at]!}'; allowed is ${field.example}, with * - , and /`],
  );
  const days = [fields[2], fields[4]].filter((day) => day === '?').length;
  if (days === 1) return wrong;
  return [...wrong, `schedule '${expression}': exactly one of day of the month and day of the week must be '?', for the other decides`];
}

function holds(field: Field, text: string): boolean {
  return text.split(',').every((part) => field.special?.test(part) || isRange(field, part)) && (!text.includes(',') || !text.includes('?'));
}

/** `*`, `5`, `5-9`, each with `/2`. */
function isRange(field: Field, part: string): boolean {
  const [, from, to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? [];
  if (from === undefined || (from === '*' && to !== undefined)) return false;
  if (step !== undefined && !(Number(step) >= 1 && Number(step) <= field.most)) return false;
  const [first, last] = [from, to].map((word) => (word === undefined || word === '*' ? undefined : numberOf(field, word)));
  if ((from !== '*' && first === undefined) || (to !== undefined && last === undefined)) return false;
  return first === undefined || last === undefined || first <= last;
}

function numberOf({ least, most, names = [] }: Field, word: string): number | undefined {
  const named = names.indexOf(word.toUpperCase());
  if (named >= 0) return least + named;
  const number = /^\d{1,4}$/.test(word) ? Number(word) : NaN;
  return number >= least && number <= most ? number : undefined;
}

/** By the time zones that this Node knows; what is no name (an offset) is none to EventBridge. */
function isTimeZone(name: string): boolean {
  if (/^[+-]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function zoneWords(name: string): string {
  return `time zone '${name}' is not known; allowed are names of the IANA database, as Europe/Zurich, America/New_York or UTC`;
}
