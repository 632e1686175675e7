import { problemsOfSchedule } from '../../lib/contract';

test.each([
  'rate(1 minute)',
  'rate(5 minutes)',
  'rate(365 days)',
  'at(2027-01-31T03:00:00)',
  'cron(0 3 * * ? *)',
  'cron(0/15 8-18 ? * MON-FRI *)',
  'cron(0,30 * L * ? 2027-2030)',
  'cron(0 10 15W JAN,jul ? *)',
  'cron(0 10 ? * 6#3 *)',
  'cron(0 10 ? * 5L *)',
  'cron(*/5 * ? * SUN *)',
])('%s is a schedule', (expression) => {
  expect(problemsOfSchedule(expression, 'Europe/Zurich')).toEqual([]);
});

test.each<[string, RegExp]>([
  ['rate(0 minutes)', /is not one; allowed are rate\(5 minutes\)/],
  ['rate(30 seconds)', /is not one/],
  ['every day', /'every day' is not one/],
  ['at(2027-02-30T03:00:00)', /is not one/],
  ['at(tomorrow)', /is not one/],
  ['cron(0 3 * * *)', /has 5 fields; allowed are 6: minutes, hours/],
  ['cron(60 3 * * ? *)', /minutes cannot be '60'; allowed is 0-59/],
  ['cron(0 24 * * ? *)', /hours cannot be '24'/],
  ['cron(0 3 32 * ? *)', /day of the month cannot be '32'/],
  ['cron(0 3 * 13 ? *)', /month cannot be '13'; allowed is 1-12 or JAN-DEC/],
  ['cron(0 3 ? * 0 *)', /day of the week cannot be '0'; allowed is 1-7/],
  ['cron(0 3 ? * FRI-MON *)', /day of the week cannot be 'FRI-MON'/],
  ['cron(0 3 * * ? 1969)', /year cannot be '1969'/],
  ['cron(0/0 3 * * ? *)', /minutes cannot be '0\/0'/],
  ['cron(*-5 3 * * ? *)', /minutes cannot be '\*-5'/],
  ['cron(0 3 * * * *)', /exactly one of day of the month and day of the week must be '\?'/],
  ['cron(0 3 ? * ? *)', /exactly one/],
])('fails for %s, saying what is allowed', (expression, message) => {
  expect(problemsOfSchedule(expression)).toEqual([expect.stringMatching(message)]);
});

test.each(['Mars/Olympus', 'Zurich', '+01:00', ''])('fails for the time zone %p', (zone) => {
  expect(problemsOfSchedule('rate(1 hour)', zone)).toEqual([expect.stringMatching(/is not known; allowed are names of the IANA database/)]);
});
